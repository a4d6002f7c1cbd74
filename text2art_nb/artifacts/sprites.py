"""Pixel art as it is used: a picture of its palette's colours alone, and a sprite, one pixel for each cell."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from text2art_nb.imaging.palettes import Colour

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


def indexed(image: "Image.Image", colours: Sequence[Colour]) -> "Image.Image | None":
    """`image` in mode P with exactly these colours, in their order, and one more for what is transparent.

    Args:
        image: RGB or RGBA.
        colours: a palette, red, green and blue in 0..1.

    Returns:
        None where it has other colours, or something half transparent, or where there are too many for an index.
    """
    import numpy as np
    from PIL import Image

    palette = list(dict.fromkeys(tuple(round(part * 255) for part in colour) for colour in colours))
    pixels = np.asarray(image.convert("RGBA"))
    opacity = pixels[..., 3]
    clear = opacity == 0
    if not (clear | (opacity == 255)).all() or len(palette) + bool(clear.any()) > 256:
        return None
    numbers = _numbers(pixels[..., :3])
    known = np.array([(red << 16) + (green << 8) + blue for red, green, blue in palette])
    order = np.argsort(known)
    place = np.searchsorted(known[order], numbers).clip(max=len(known) - 1)
    found = order[place]
    if not (clear | (known[found] == numbers)).all():
        return None
    found[clear] = len(palette)
    picture = Image.frombytes("P", image.size, found.astype(np.uint8).tobytes())
    if clear.any():
        picture.info["transparency"] = len(palette)
        palette.append((0, 0, 0))
    picture.putpalette([part for colour in palette for part in colour])
    return picture


def _numbers(pixels: "np.ndarray") -> "np.ndarray":
    """[…,3] of uint8 as one number each."""
    import numpy as np

    wide = pixels.astype(np.int64)
    return (wide[..., 0] << 16) + (wide[..., 1] << 8) + wide[..., 2]


def sprite(image: "Image.Image", grid: tuple[int, int], shape: str) -> "Image.Image":
    """One pixel for each cell of pixel art, RGB or RGBA: the colour well inside the cell.

    Of cells that aren't rectangles it is the grid that they are kept in: row by row, without the shift of the rows.

    Args:
        image: the picture, at any size.
        grid: (columns, rows).
        shape: of the cells, one of `drawers.cells.SHAPES`.
    """
    import numpy as np
    from PIL import Image

    from text2art_nb.drawers.cells import centres

    if image.size == grid:
        return image.copy()
    across, down = centres(shape, grid)
    pixels = np.asarray(image)
    columns = (across * image.width / grid[0]).astype(int)
    rows = (down * image.height / grid[1]).astype(int)
    return Image.fromarray(np.ascontiguousarray(pixels[rows, columns]))
