"""The drawers, and the kinds of picture that they draw, for which the contract is tested, and what each is asked.

The models are those of the fixture `tiny`, which knows a drawer's own.
"""

from collections.abc import Mapping

CASES: Mapping[str, Mapping[str, object]] = {
    "vqgan": {"drawer": "vqgan"},
    "vqgan pyramid": {"drawer": "vqgan", "model": "embedded", "start": "noise"},
    "pixel": {"drawer": "pixel"},
    "pixel hex": {"drawer": "pixel", "pixel_type": "hex", "pixel_size": (8, 6)},
    "pixel palette": {"drawer": "pixel", "pixel_size": (8, 6), "palette": "pico-8"},
    "pixel transparent": {"drawer": "pixel", "pixel_size": (8, 6), "transparent": True},
    "strokes": {"drawer": "strokes", "strokes": 12},
    "strokes line": {"drawer": "strokes", "strokes": 12, "stroke_kind": "line"},
    "fft": {"drawer": "fft"},
    "taesd": {"drawer": "taesd"},
    "generator": {"drawer": "generator"},
    "turbo": {"drawer": "turbo"},
    "turbo white": {"drawer": "turbo", "noise_prior": "white"},
}
"""By a name for the test: settings that go to `tiny`."""

CHAINS: Mapping[str, Mapping[str, object]] = {
    "chain": {"drawer": "vqgan:40 -> pixel:60"},
    "chain of strokes": {"drawer": "pixel -> strokes -> fft", "strokes": 12},
}
"""Likewise, for what a run does and no drawer can do alone."""


def contract_settings(case: str) -> dict[str, object]:
    """What to give to `tiny` for one case."""
    return dict({**CASES, **CHAINS}[case])
