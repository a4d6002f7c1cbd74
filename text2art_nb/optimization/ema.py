"""An exponential moving average of parameters."""

from torch import Tensor


class EMA:
    """The exponential moving average of named tensors, which starts with the first values.

    decay: weight of the past, 0..1.
    """

    def __init__(self, decay: float, average: dict[str, Tensor] | None = None) -> None:
        """average: where an earlier one stood."""
        self.decay = decay
        self.average: dict[str, Tensor] = average or {}

    def update(self, values: dict[str, Tensor]) -> None:
        """Add `values` to the average."""
        self.average = {
            name: self.average.get(name, value).lerp(value, 1 - self.decay) for name, value in values.items()
        }
