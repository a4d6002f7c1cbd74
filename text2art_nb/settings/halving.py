"""Successive halving (Jamieson and Talwalkar 2016): how many candidates draw on, and how many views each gets.

While there are twice as many candidates as finalists, each gets half as many views: a round costs what the final
costs an iteration.
"""

from typing import Final

QUALIFYING: Final = 0.3
"""The part of the iterations in which pictures drop out."""
FEWEST_CUTS: Final = 2


def rounds(candidates: int, finalists: int | None, total: int) -> list[tuple[int, int]]:
    """(iteration after which a round ends, how many go on) of each round, in order; none without a tournament."""
    counts, count = [], candidates
    while finalists is not None and count > finalists:
        count = max(finalists, (count + 1) // 2)
        counts.append(count)
    return [
        (max(number, round(QUALIFYING * total * number / len(counts))), count) for number, count in enumerate(counts, 1)
    ]


def survivors(candidates: int, finalists: int | None, done: int, total: int) -> int:
    """How many candidates draw on once `done` of `total` iterations are done."""
    ended = [count for end, count in rounds(candidates, finalists, total) if done >= end]
    return ended[-1] if ended else candidates


def left(candidates: int, finalists: int | None, done: int, total: int) -> int:
    """How many candidates there are after `done` iterations: a round that would end with the last one doesn't end."""
    return survivors(candidates, finalists, min(done, max(0, total - 1)), total)


def cuts(asked: int, finalists: int | None, count: int) -> int:
    """How many views a picture gets while there are `count`, where `asked` are wanted for a finalist."""
    if finalists is None or count <= finalists:
        return asked
    return min(asked, max(FEWEST_CUTS, round(asked * finalists / count)))


def spans(candidates: int, finalists: int | None, total: int) -> list[tuple[int, int]]:
    """(iterations, candidates) of the rounds and of the final."""
    found, start, count = [], 0, candidates
    for end, left in [*rounds(candidates, finalists, total), (total, 0)]:
        stop = max(start, min(end, total))
        found.append((stop - start, count))
        start, count = stop, left
    return found


def views(candidates: int, finalists: int | None, asked: int, total: int) -> int:
    """All views that `total` iterations look at, each candidate's straight one with them.

    asked: views of a finalist in one iteration, without the straight one.
    """
    return sum(
        length * count * (cuts(asked, finalists, count) + 1) for length, count in spans(candidates, finalists, total)
    )
