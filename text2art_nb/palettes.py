r"""The palette grammar: from a line such as ``pico-8``, ``red->gold\8`` or ``[black,#ff0000]`` to a list of colours.

It is the common part of pixray's, and what it means there it means here:

==================== ==================================================================
``rust``             16 steps from black to the colour; ``rust\8``: 8 steps
``navy->pink->gold`` a ramp through these colours, 16 steps; ``\20``: 20 steps
``[red,#00ff80]``    exactly these colours; ``\8``: 8 steps through them
``pico-8``           a palette by its name (`PALETTES`); ``\8``: 8 steps through it
``a; b``             both
==================== ==================================================================

A colour is a name (CSS's, or one of the xkcd survey's), ``#rgb``, ``#rrggbb``, ``(255+128+0)`` or, in square brackets,
``1+0.5+0``.
"""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

Colour = tuple[float, float, float]
"""Red, green and blue, each 0..1 (sRGB, not linear light)."""

MAX_COLOURS = 256
STEPS = 16
"""How many colours a ramp has unless it says so."""

# With thanks: PICO-8's by Lexaloffle, Sweetie 16 by GrafxKid, Endesga 32 by ENDESGA, DB16 by DawnBringer (they are on
# lospec.com), the Commodore 64's as measured by Pepto, the Game Boy's and EGA's as commonly given.
_HEX: Mapping[str, str] = MappingProxyType(
    {
        "1bit": "000000 ffffff",
        "gameboy": "0f380f 306230 8bac0f 9bbc0f",
        "pico-8": (
            "000000 1d2b53 7e2553 008751 ab5236 5f574f c2c3c7 fff1e8 "
            "ff004d ffa300 ffec27 00e436 29adff 83769c ff77a8 ffccaa"
        ),
        "c64": (
            "000000 ffffff 68372b 70a4b2 6f3d86 588d43 352879 b8c76f "
            "6f4f25 433900 9a6759 444444 6c6c6c 9ad284 6c5eb5 959595"
        ),
        "ega": (
            "000000 0000aa 00aa00 00aaaa aa0000 aa00aa aa5500 aaaaaa "
            "555555 5555ff 55ff55 55ffff ff5555 ff55ff ffff55 ffffff"
        ),
        "sweetie16": (
            "1a1c2c 5d275d b13e53 ef7d57 ffcd75 a7f070 38b764 257179 "
            "29366f 3b5dc9 41a6f6 73eff7 f4f4f4 94b0c2 566c86 333c57"
        ),
        "db16": (
            "140c1c 442434 30346d 4e4a4e 854c30 346524 d04648 757161 "
            "597dce d27d2c 8595a1 6daa2c d2aa99 6dc2ca dad45e deeed6"
        ),
        "endesga32": (
            "be4a2f d77643 ead4aa e4a672 b86f50 733e39 3e2731 a22633 "
            "e43b44 f77622 feae34 fee761 63c74d 3e8948 265c42 193c3e "
            "124e89 0099db 2ce8f5 ffffff c0cbdc 8b9bb4 5a6988 3a4466 "
            "262b44 181425 ff0044 68386c b55088 f6757a e8b796 c28569"
        ),
    }
)


def _from_hex(digits: str) -> Colour:
    red, green, blue = (int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    return red, green, blue


PALETTES: Mapping[str, tuple[Colour, ...]] = MappingProxyType(
    {name: tuple(_from_hex(digits) for digits in line.split()) for name, line in _HEX.items()}
)
"""The palettes that have names, as colours in 0..1."""


def parse_palette(text: str) -> list[Colour]:
    r"""Read a palette.

    Args:
        text: as the module says, like ``"pico-8"``, ``"red"``, ``"navy->gold\8"``, ``"[black,#ff0000]; rust\4"``.

    Returns:
        1 to 256 different colours, (red, green, blue) in 0..1, in the order in which they were named.

    Raises:
        ValueError: one plain sentence; for an unknown name with the nearest one.
    """
    if len(text) > 10_000:
        raise ValueError("a palette may have at most 10,000 characters")
    colours: list[Colour] = []
    for part in text.split(";"):
        if part.strip():
            colours += _part(part.strip())
        if len(colours) > MAX_COLOURS:
            raise ValueError(f"a palette may have at most {MAX_COLOURS} colours; this one has more")
    if not colours:
        raise ValueError("the palette is empty; name one, like 'pico-8', or colours, like '[black,red,#ffcc00]'")
    return list(dict.fromkeys(colours))


def _part(part: str) -> list[Colour]:
    body, backslash, digits = part.partition("\\")
    body = body.strip()
    steps = _steps(digits.strip(), part) if backslash else None
    if body.startswith("[") != body.endswith("]"):
        raise ValueError(f"the list {_short(body)} needs a bracket at both ends, like [red,#ffcc00]")
    if "->" in body and not body.startswith("["):
        return _ramp([_colour(name) for name in body.split("->")], steps or STEPS)
    if body.startswith("[") or "," in body:
        exact = [_colour(name) for name in body.removeprefix("[").removesuffix("]").split(",")]
        return _ramp(exact, steps) if steps else exact
    named = _squeezed(body)
    if named in _palette_keys():
        exact = list(PALETTES[_palette_keys()[named]])
        return _ramp(exact, steps) if steps else exact
    return _ramp([(0.0, 0.0, 0.0), _colour(body, also_palettes=True)], steps or STEPS)


def _steps(digits: str, part: str) -> int:
    if not re.fullmatch(r"\d{1,4}", digits, re.ASCII) or not 1 <= int(digits) <= MAX_COLOURS:
        raise ValueError(f"the number of steps in {_short(part)} must be 1 to {MAX_COLOURS}, like \\8")
    return int(digits)


def _ramp(stops: Sequence[Colour], steps: int) -> list[Colour]:
    """So many colours, evenly spaced through the stops; both ends are in it (one step alone is the last stop)."""
    if len(stops) == 1 or steps == 1:
        return [stops[-1]]
    colours = []
    for step in range(steps):
        position = step * (len(stops) - 1) / (steps - 1)
        index = min(int(position), len(stops) - 2)
        share = position - index
        (red, green, blue), (red2, green2, blue2) = stops[index], stops[index + 1]
        colours.append(
            (
                red * (1 - share) + red2 * share,
                green * (1 - share) + green2 * share,
                blue * (1 - share) + blue2 * share,
            )
        )
    return colours


def _colour(name: str, also_palettes: bool = False) -> Colour:
    text = " ".join(name.lower().split())
    if "+" in text:
        return _by_numbers(text)
    if text.startswith("#") or re.fullmatch(r"[0-9a-f]{6}", text):
        digits = text.removeprefix("#")
        if re.fullmatch(r"[0-9a-f]{3}", digits):
            digits = "".join(digit * 2 for digit in digits)
        if not re.fullmatch(r"[0-9a-f]{6}", digits):
            raise ValueError(f"the colour {_short(name)} must be #rgb or #rrggbb, like #ff8000")
        return _from_hex(digits)
    names = _names()
    digits = names.get(text) or _squeezed_names().get(_squeezed(text), "")
    if digits:
        return _from_hex(digits)
    if not text:
        raise ValueError("a colour is missing between the separators; name one, like 'red'")
    known = [*names, *PALETTES] if also_palettes else list(names)
    nearest = difflib.get_close_matches(text[:60], known, 1)
    meant = f"did you mean {nearest[0]!r}?" if nearest else "colours are names like 'red', or #rrggbb"
    raise ValueError(f"unknown colour {_short(name)}; {meant}")


def _by_numbers(text: str) -> Colour:
    """(255+128+0), or 1+0.5+0 without the parentheses."""
    in_parentheses = text.startswith("(") and text.endswith(")")
    limit = 255.0 if in_parentheses else 1.0
    try:
        red, green, blue = (float(part) / limit for part in text.strip("()").split("+"))
    except ValueError:
        red = green = blue = math.nan
    if not all(0 <= part <= 1 for part in (red, green, blue)):
        raise ValueError(f"the colour {_short(text)} must be like (255+128+0), or [1+0.5+0] in 0 to 1")
    return red, green, blue


@cache
def _names() -> dict[str, str]:
    """Every colour's name in lower case and its six digits; where CSS and the survey differ, CSS is right."""
    from PIL import ImageColor

    from text2art_nb.colour_names import survey_colours

    # By way of getrgb, not of the values: Pillow puts what it has parsed back into its table, as numbers.
    css = {name: "".join(f"{part:02x}" for part in ImageColor.getrgb(name)[:3]) for name in [*ImageColor.colormap]}
    return survey_colours() | css


@cache
def _squeezed_names() -> dict[str, str]:
    return {_squeezed(name): digits for name, digits in reversed(_names().items())}


@cache
def _palette_keys() -> dict[str, str]:
    return {_squeezed(name): name for name in PALETTES}


def _squeezed(name: str) -> str:
    """A name whatever its case, spaces, hyphens and underscores."""
    return re.sub(r"[\s_-]", "", name.lower())


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
