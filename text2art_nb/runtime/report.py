"""Findings of the self-check, and the block of plain text that they become."""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from text2art_nb.runtime.redaction import redacted

State = Literal["ok", "BAD", "--"]
"""Fine, broken, or not looked into (and nothing that is a fault by itself)."""
WIDTH: Final = 110  # columns of the block
_SHORT: Final = 0.05  # seconds that aren't worth telling


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what.
        text: what was found, in words.
        state: whether it is as it should be.
        data: the same for programs.
        seconds: that it took to find out, None where that tells nothing.
    """

    name: str
    text: str
    state: State = "ok"
    data: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None


def as_block(title: str, findings: Iterable[Finding], verdict: str) -> str:
    """A fenced block of lines of at most `WIDTH` columns, without names of users and tokens."""
    lines = [title]
    for each in findings:
        took = f" ({each.seconds:.1f} s)" if each.seconds is not None and each.seconds >= _SHORT else ""
        whole = f"{each.state:<3} {each.name}: {redacted(' '.join(each.text.split()))}{took}"
        lines += textwrap.wrap(whole, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(["```text", *lines, redacted(verdict), "```"])


def as_json(title: str, findings: Iterable[Finding], verdict: str) -> dict[str, Any]:
    """The same as `as_block`, for programs; likewise without names of users and tokens."""
    rows = [
        {"name": each.name, "state": each.state, "text": each.text, "seconds": each.seconds, "data": dict(each.data)}
        for each in findings
    ]
    cleaned = _redacted_deeply({"title": title, "findings": rows, "verdict": verdict})
    assert isinstance(cleaned, dict)
    return cleaned


def _redacted_deeply(value: Any) -> Any:
    """`value` with every text in it redacted, numbers that JSON hasn't got (NaN) as text, tuples as lists."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {str(key): _redacted_deeply(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted_deeply(each) for each in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    return value
