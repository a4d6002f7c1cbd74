"""A pretended accelerator that counts what goes over its bus, for machines that have none.

Within ``with Card() as card`` the device "meta" computes: every tensor on it holds a real one of the CPU, so that what
depends on values is as it would be. `card.uploads` and `card.readbacks` name each operation that copies from the CPU to
the card, or makes the CPU wait for the card: copies, `item`, `tolist`, `bool`, and operations the shape of whose result
depends on values (`nonzero`, a boolean mask, `unique`, `repeat_interleave` …).
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Self

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

CARD: Final = torch.device("meta")
_CPU: Final = torch.device("cpu")
_PRODUCTS: Final = (torch.matmul, Tensor.matmul, Tensor.__matmul__)
_WAITS: Final = frozenset(
    """
    _local_scalar_dense item is_nonzero equal nonzero masked_select unique_consecutive unique_dim _unique _unique2
    repeat_interleave bincount
    """.split()
)


class OnCard(Tensor):
    """A tensor on the card; `held` has its numbers."""

    held: Tensor

    @staticmethod
    def __new__(cls, real: Tensor) -> "OnCard":
        made: OnCard = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            real.size(),
            strides=real.stride(),
            storage_offset=real.storage_offset(),
            dtype=real.dtype,
            device=CARD,
            requires_grad=False,
        )
        made.held = real
        return made

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{function} outside of `with Card()`")


class Card(TorchDispatchMode):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.uploads: list[str] = []
        self.readbacks: list[str] = []
        self._constants = _Constants()

    def __enter__(self) -> Self:
        super().__enter__()
        self._constants.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._constants.__exit__(*raised)
        super().__exit__(*raised)

    def reset(self) -> None:
        """Count from nothing."""
        self.uploads.clear()
        self.readbacks.clear()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        there = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, OnCard)]
        wanted = kwargs.get("device")
        if wanted is not None and torch.device(wanted) == CARD:
            kwargs["device"] = _CPU
        if not there and (wanted is None or torch.device(wanted) != CARD):
            return function(*args, **kwargs)
        name = function.overloadpacket.__name__
        self._count(name, function, args, kwargs, wanted, there)
        result = function(*tree_map(_real, args), **tree_map(_real, kwargs))
        leaves = name in ("_local_scalar_dense", "equal", "is_nonzero") or (
            name == "_to_copy" and wanted is not None and torch.device(wanted) == _CPU
        )
        return result if leaves else tree_map(lambda each: self._on_card(each, there), result)

    def _count(self, name: str, function: Any, args: Any, kwargs: Any, wanted: Any, there: list[OnCard]) -> None:
        if name == "_to_copy" and wanted is not None:
            if not isinstance(args[0], OnCard):
                self.uploads.append(f"{name} {tuple(args[0].shape)}")
            elif torch.device(wanted) == _CPU:
                self.readbacks.append(f"{name} {tuple(args[0].shape)}")
        elif name == "copy_" and isinstance(args[0], OnCard) != isinstance(args[1], OnCard):
            (self.uploads if isinstance(args[0], OnCard) else self.readbacks).append(f"{name} {tuple(args[1].shape)}")
        elif name in _WAITS and not (name == "repeat_interleave" and kwargs.get("output_size") is not None):
            self.readbacks.append(name)
        elif name in ("index", "index_put", "index_put_") and _has_mask(args[1]):
            self.readbacks.append(f"{name} by a mask")
        elif name not in ("_to_copy", "copy_") and (strays := list(_strays(name, args, kwargs))) and there:
            self.uploads.append(f"{name} of a CPU tensor {strays}")

    @staticmethod
    def _on_card(each: Any, there: list[OnCard]) -> Any:
        if not isinstance(each, Tensor):
            return each
        for known in there:  # changed in place
            if known.held is each:
                assert known.shape == each.shape, "a shape that changes in place isn't pretended here"
                return known
        return OnCard(each)


def _real(each: Any) -> Any:
    if isinstance(each, OnCard):
        return each.held
    return _CPU if isinstance(each, torch.device) and each == CARD else each


def _has_mask(indices: Iterable[Any]) -> bool:
    return any(isinstance(each, Tensor) and each.dtype in (torch.bool, torch.uint8) for each in indices)


def _strays(name: str, args: Any, kwargs: Any) -> Iterable[tuple[int, ...]]:
    """Shapes of CPU tensors with axes among an operation's arguments: a real card refuses them, or copies indices."""
    for each in tree_flatten((args, kwargs))[0]:
        if isinstance(each, Tensor) and not isinstance(each, OnCard) and each.dim() and each.device == _CPU:
            yield tuple(each.shape)


class _Constants(TorchFunctionMode):
    """Makes `torch.tensor(…, device=card)` what it is on a card, and hides from modes: a CPU tensor and its copy."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        device = kwargs.get("device")
        if function in (torch.tensor, torch.as_tensor) and device is not None and torch.device(device) == CARD:
            del kwargs["device"]
            return function(*args, **kwargs).to(CARD)
        if function is Tensor.new_tensor and isinstance(args[0], OnCard):
            return torch.tensor(args[1], dtype=kwargs.get("dtype", args[0].dtype)).to(CARD)
        if function is Tensor.tolist and isinstance(args[0], OnCard):
            return args[0].to(_CPU).tolist()
        if function in _PRODUCTS and args[0].dim() == 1 and args[1].dim() == 2:  # torch squeezes its result in place
            return (args[0][None] @ args[1])[0]
        return function(*args, **kwargs)


def counted(work: Callable[[], object]) -> tuple[list[str], list[str]]:
    """What `work` uploads and reads back."""
    with Card() as card:
        work()
    return card.uploads, card.readbacks
