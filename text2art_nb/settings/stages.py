"""The grammar of chained drawers: ``vqgan:30 -> pixel:70``.

A share says how much of the iterations a drawer gets. Knows words and numbers only.
"""

from collections.abc import Callable, Sequence
from typing import Final

MAX_STAGES: Final = 8
"""Most drawers in one chain."""

Stage = tuple[str, float]
"""A drawer's name, and its share of the iterations, above 0; the shares of a chain sum to 1."""


def read_stages(text: str, known: Callable[[str], str]) -> tuple[Stage, ...]:
    """The stages of ``vqgan:30 -> pixel:70``. Those without a share get equal parts of what the others leave of 100.

    Args:
        text: names with their shares in percent, with arrows between.
        known: the proper spelling of a drawer's name; raises ValueError for an unknown one.

    Raises:
        ValueError: an unknown drawer, no drawer at all between two arrows, too many, or shares that don't fit together.
    """
    parts = split(text)
    if len(parts) > MAX_STAGES:
        raise ValueError(f"drawer may chain at most {MAX_STAGES} drawers; got {len(parts)}")
    stages = [_stage(part, known) for part in parts]
    given = [share for _, share in stages if share is not None]
    silent = len(stages) - len(given)
    left = 100 - sum(given)
    if silent and left <= 0:
        raise ValueError(
            f"the shares in drawer leave nothing of 100 for {_silent(stages)}; give all, like 'vqgan:30 -> pixel:70'"
        )
    shares = [left / silent if share is None else share for _, share in stages]
    return tuple((name, share / sum(shares)) for (name, _), share in zip(stages, shares, strict=True))


def written(text: str, known: Callable[[str], str]) -> str:
    """A chain in its one spelling, which `read_stages` reads: names, and the shares that somebody gave."""
    read_stages(text, known)
    stages = [_stage(part, known) for part in split(text)]
    return " -> ".join(name if share is None else f"{name}:{share:.10g}" for name, share in stages)


def split(text: str) -> list[str]:
    """What stands between the arrows of a chain, however they are drawn."""
    return text.replace("→", "->").split("->")


def _stage(part: str, known: Callable[[str], str]) -> tuple[str, float | None]:
    name, colon, share = part.strip().partition(":")
    if not name.strip():
        raise ValueError(f"drawer has an arrow without a drawer beside it: {part.strip()!r}; write 'vqgan -> pixel'")
    if not colon:
        return known(name), None
    try:
        number = float(share)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1000:
        raise ValueError(
            f"the share of {name.strip()!r} in drawer must be a number above 0, like 30; got {share.strip()!r}"
        )
    return known(name), number


def _silent(stages: Sequence[tuple[str, float | None]]) -> str:
    return next(name for name, share in stages if share is None)


def ends(stages: Sequence[Stage], total: int) -> list[int]:
    """After which of `total` iterations each stage ends; the last one at `total`."""
    found, sofar = [], 0.0
    for _, share in stages:
        sofar += share
        found.append(min(total, round(sofar * total)))
    return [*found[:-1], total]


def stage_after(stages: Sequence[Stage], done: int, total: int) -> int:
    """The stage, counted from 0, whose drawer is to draw once `done` of `total` iterations are done."""
    return min(len(stages) - 1, sum(done >= end for end in ends(stages, total)))


def model_of(model: str, stage: int) -> str:
    """The weights of one stage: ``sd-turbo -> embedded`` names those of each, a name alone those of all."""
    parts = [part.strip() for part in model.split("->")]
    return parts[stage] if len(parts) > 1 else model
