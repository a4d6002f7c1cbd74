"""Optimisers that `torch.optim` doesn't have, and what any optimiser remembers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import torch
from torch import Tensor


class JointAdam(torch.optim.Optimizer):
    """Adam (Kingma and Ba 2015) whose second moment is one number a candidate, over all parameters of its group.

    Adam gives every parameter the same step, however small its gradient. Where parameters are pixels that turns the
    quiet background of a gradient, most of which is noise, into steps as large as those of the thing itself. With one
    scale for all, steps keep the proportions of the gradient, and their root mean square is the learning rate. An eye
    trained against an adversary has gradients whose proportions are worth keeping (Santurkar et al. 2019).

    Every parameter's first axis is the candidate, so candidates drawn side by side don't touch each other.
    """

    def __init__(
        self, params: Iterable[dict[str, Any]], betas: tuple[float, float] = (0.9, 0.99), eps: float = 1e-12
    ) -> None:
        """params: groups with their "params" and "lr"."""
        super().__init__(params, {"betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step along the gradients; a closure is not called."""
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if parameters:
                self._step(parameters, group)

    def _step(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        squares = torch.stack([gradient.square().flatten(1).sum(1) for gradient in gradients]).sum(0)
        mean_square = squares / sum(gradient[0].numel() for gradient in gradients)
        slow, fast = group["betas"]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            state = self.state[parameter]
            if not state:
                state["step"] = torch.zeros(())
                state["exp_avg"] = torch.zeros_like(parameter)
                state["exp_avg_sq"] = torch.zeros_like(mean_square)
            state["step"] += 1
            steps = float(state["step"])
            state["exp_avg"].lerp_(gradient, 1 - slow)
            state["exp_avg_sq"].lerp_(mean_square, 1 - fast)
            scale = (state["exp_avg_sq"] / (1 - fast**steps)).sqrt() + group["eps"]
            move = state["exp_avg"] / (1 - slow**steps) / scale.view(-1, *[1] * (parameter.dim() - 1))
            parameter.sub_(move, alpha=group["lr"])


# -- what an optimiser remembers, as a flat dictionary of copies

_WHERE_TO: Final = ("exp_avg", "momentum_buffer", "momentum")


def moments_of(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Copies of all that it remembers: "0.exp_avg" is that of its first parameter."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": value.clone() for index, moments in state.items() for key, value in moments.items()}


def set_moments(optimizer: torch.optim.Optimizer, moments: Mapping[str, Tensor]) -> None:
    """Have it remember what `moments_of` returned, and nothing else."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in moments.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value.clone()
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def calmed(moments: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The moments without those that say where it was going; how large the gradients were, it still knows."""
    return {
        name: torch.zeros_like(value) if name.split(".", 1)[1] in _WHERE_TO else value
        for name, value in moments.items()
    }
