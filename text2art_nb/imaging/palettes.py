r"""The palette grammar: from a line such as ``pico-8``, ``red->gold\8`` or ``[black,#ff0000]`` to a list of colours.

It is pixray's, and what it means there it means here; pixray knows no palettes by name and no colour maps:

==================== ==================================================================
``rust``             16 steps from black to the colour; ``rust\8``: 8 steps
``navy->pink->gold`` a ramp through these colours, 16 steps; ``\20``: 20 steps
``[red,#00ff80]``    exactly these colours; ``\8``: 8 steps through them
``pico-8``           a palette by its name (`PALETTES`); ``\8``: 8 steps through it
``mat:viridis``      a colour map of matplotlib's, 16 steps; ``\8``: 8; ``mat:tab10``: its ten
``@sprite.png``      the colours of a file; ``\8``: at most 8 (see `palette_files`)
``a; b``             both
==================== ==================================================================

A colour is a name (CSS's, or one of the xkcd survey's, or pixray's ``pixel_green`` and its kin), ``#rgb``, ``#rrggbb``,
``(255+128+0)`` or, in square brackets, ``1+0.5+0``. ``mat:r``, ``mat:tab:blue`` and ``mat:C0`` are matplotlib's names,
``xkcd:red`` is the survey's red where plain ``red`` is CSS's.
"""

import bisect
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

# With thanks: PICO-8's by Lexaloffle, Sweetie 16 and Oil 6 by GrafxKid, Endesga 32 by ENDESGA, DB16 and DB32 by
# DawnBringer, Resurrect 64 by Kerrie Lake, SLSO8 by Luis Miguel Maldonado (they are on lospec.com); the Commodore 64's
# as measured by Pepto; the Game Boy's, the NES's, the Apple II's (15 of its 16 differ), CGA's, EGA's and the ZX
# Spectrum's as commonly given.
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
        "cga": "000000 55ffff ff55ff ffffff",
        "zx-spectrum": (
            "000000 0000d7 d70000 d700d7 00d700 00d7d7 d7d700 d7d7d7 0000ff ff0000 ff00ff 00ff00 00ffff ffff00 ffffff"
        ),
        "apple-ii": (
            "000000 6c2940 403578 d93cf0 135740 808080 2697f0 bfb4f8 404b07 d9680f eca8bf 26c30f bfca87 93d6bf ffffff"
        ),
        "nes": (
            "000000 7c7c7c 0000fc 0000bc 4428bc 940084 a80020 a81000 881400 503000 007800 006800 005800 004058 "
            "bcbcbc 0078f8 0058f8 6844fc d800cc e40058 f83800 e45c10 ac7c00 00b800 00a800 00a844 008888 787878 "
            "f8f8f8 3cbcfc 6888fc 9878f8 f878f8 f85898 f87858 fca044 f8b800 b8f818 58d854 58f898 00e8d8 "
            "fcfcfc a4e4fc b8b8f8 d8b8f8 f8b8f8 f8a4c0 f0d0b0 fce0a8 f8d878 d8f878 b8f8b8 b8f8d8 00fcfc f8d8f8"
        ),
        "slso8": "0d2b45 203c56 544e68 8d697a d08159 ffaa5e ffd4a3 ffecd6",
        "oil6": "fbf5ef f2d3ab c69fa5 8b6d9c 494d7e 272744",
        "db32": (
            "000000 222034 45283c 663931 8f563b df7126 d9a066 eec39a fbf236 99e550 6abe30 37946e 4b692f 524b24 "
            "323c39 3f3f74 306082 5b6ee1 639bff 5fcde4 cbdbfc ffffff 9badb7 847e87 696a6a 595652 76428a ac3232 "
            "d95763 d77bba 8f974a 8a6f30"
        ),
        "resurrect64": (
            "2e222f 3e3546 625565 966c6c ab947a 694f62 7f708a 9babb2 c7dcd0 ffffff 6e2727 b33831 ea4f36 f57d4a "
            "ae2334 e83b3b fb6b1d f79617 f9c22b 7a3045 9e4539 cd683d e6904e fbb954 4c3e24 676633 a2a947 d5e04b "
            "fbff86 165a4c 239063 1ebc73 91db69 cddf6c 313638 374e4a 547e64 92a984 b2ba90 0b5e65 0b8a8f 0eaf9b "
            "30e1b9 8ff8e2 323353 484a77 4d65b4 4d9be6 8fd3ff 45293f 6b3e75 905ea9 a884f3 eaaded 753c54 a24b6f "
            "cf657f ed8099 831c5d c32454 f04f78 f68181 fca790 fdcbb0"
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

_PIXRAY: Mapping[str, Colour] = MappingProxyType(
    {
        "pixel_green": (0.44, 1.0, 0.53),
        "pixel_orange": (1.0, 0.8, 0.2),
        "pixel_blue": (0.44, 0.53, 1.0),
        "pixel_red": (1.0, 0.53, 0.44),
        "pixel_grayscale": (1.0, 1.0, 1.0),
    }
)
"""pixray's colours of old screens, for ramps."""


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


def names_a_file(part: str) -> bool:
    """Whether a part of a palette (between semicolons) means a file or an address."""
    return part.strip().startswith("@") or "://" in part


def _part(part: str) -> list[Colour]:
    if names_a_file(part):
        raise ValueError(f"the palette file {_short(part)} is read where settings are made, and nowhere else")
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
    if (colours := _by_matplotlib(body, steps)) is not None:
        return colours
    named = _squeezed(body)
    if named in _palette_keys():
        exact = list(PALETTES[_palette_keys()[named]])
        return _ramp(exact, steps) if steps else exact
    return _ramp([(0.0, 0.0, 0.0), _colour(body, also_palettes=True)], steps or STEPS)


def _steps(digits: str, part: str) -> int:
    if not re.fullmatch(r"\d{1,4}", digits, re.ASCII) or not 1 <= int(digits) <= MAX_COLOURS:
        raise ValueError(f"the number of steps in {_short(part)} must be 1 to {MAX_COLOURS}, like \\8")
    return int(digits)


def _ramp(stops: Sequence[Colour], steps: int, positions: Sequence[float] | None = None) -> list[Colour]:
    """So many colours, evenly spaced through the stops; both ends are in it (one step alone is the last stop).

    positions: of the stops, rising from 0 to 1; None: even ones.
    """
    if len(stops) == 1 or steps == 1:
        return [stops[-1]]
    colours = []
    for step in range(steps):
        if positions is None:
            position = step * (len(stops) - 1) / (steps - 1)
            index = min(int(position), len(stops) - 2)
            share = position - index
        else:
            position = step / (steps - 1)
            index = min(bisect.bisect_right(positions, position), len(stops) - 1) - 1
            share = (position - positions[index]) / (positions[index + 1] - positions[index])
        (red, green, blue), (red2, green2, blue2) = stops[index], stops[index + 1]
        colours.append(
            (
                red * (1 - share) + red2 * share,
                green * (1 - share) + green2 * share,
                blue * (1 - share) + blue2 * share,
            )
        )
    return colours


def _by_matplotlib(body: str, steps: int | None) -> list[Colour] | None:
    """A colour map's colours, where `body` is one; None where it isn't."""
    prefix, colon, name = body.partition(":")
    if not colon or prefix.strip().lower() != "mat":
        return None
    from text2art_nb.imaging.color_maps import colour_maps

    names = {_squeezed(known): known for known in colour_maps()}
    if _squeezed(name) not in names:
        return None
    found = colour_maps()[names[_squeezed(name)]]
    stops = [_from_hex(digits) for digits in found.stops]
    if steps is None and found.listed:
        return stops
    return _ramp(stops, steps or STEPS, found.positions)


def _prefixed(text: str) -> Colour | None:
    """The colour of a name with its source, like xkcd:rust or mat:tab:blue; None for one without.

    Raises:
        ValueError: that source has no colour of this name.
    """
    source, colon, name = text.partition(":")
    if not colon or source not in ("mat", "xkcd"):
        return None
    if source == "mat" and name.startswith("xkcd:"):
        return _prefixed(name)
    from text2art_nb.imaging.color_maps import colour_maps, letters_and_tableau
    from text2art_nb.imaging.color_names import survey_colours

    if source == "xkcd":
        known = survey_colours(css_too=True)
    else:
        known = _css() | {each.lower(): digits for each, digits in letters_and_tableau().items()}
    digits = known.get(name.strip()) or {_squeezed(each): digits for each, digits in known.items()}.get(_squeezed(name))
    if digits:
        return _from_hex(digits)
    if name.startswith("#"):
        return _colour(name)
    maps = {each.lower(): each for each in colour_maps()} if source == "mat" else {}
    if name in maps:
        raise ValueError(f"{source}:{maps[name]} is a whole colour map; it stands alone, like {source}:{maps[name]}\\8")
    nearest = difflib.get_close_matches(name[:60], [*known, *maps], 1)
    meant = f"did you mean '{source}:{maps.get(nearest[0], nearest[0])}'?" if nearest else f"try {source}:red"
    raise ValueError(f"unknown colour {_short(text)}; {meant}")


def _colour(name: str, also_palettes: bool = False) -> Colour:
    text = " ".join(name.lower().split())
    if text in _PIXRAY:
        return _PIXRAY[text]
    if (colour := _prefixed(text)) is not None:
        return colour
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
    known = [*names, *_PIXRAY, *PALETTES] if also_palettes else [*names, *_PIXRAY]
    nearest = difflib.get_close_matches(text[:60], known, 1)
    meant = f"did you mean {nearest[0]!r}?" if nearest else "colours are names like 'red', or #rrggbb"
    raise ValueError(f"unknown colour {_short(name)}; {meant}")


def _by_numbers(text: str) -> Colour:
    """(255+128+0), or 1+0.5+0 without the parentheses, in square brackets or not."""
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
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
    from text2art_nb.imaging.color_names import survey_colours

    return survey_colours() | _css()


@cache
def _css() -> dict[str, str]:
    from PIL import ImageColor

    # By way of getrgb, not of the values: Pillow puts what it has parsed back into its table, as numbers.
    return {name: "".join(f"{part:02x}" for part in ImageColor.getrgb(name)[:3]) for name in [*ImageColor.colormap]}


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
