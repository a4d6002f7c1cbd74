"""Pictures on their way into a notebook: JPEG, pixel art as PNG, never WebP (browsers never show one), never large."""

import base64
from io import BytesIO
from typing import TYPE_CHECKING, Final

from text2art_nb.imaging.image_io import opaque, open_picture

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.artifacts.artwork import Artwork
    from text2art_nb.settings import Settings

LIVE_SIDE: Final = 768
"""Longest side of a picture that is shown while it grows, in pixels."""
STATIC_BYTES: Final = 84_000
"""Largest picture that is left in the notebook's file, where base64 makes a third more of it."""
RECIPE_BYTES: Final = 8_000
"""Longest recipe that the picture in the notebook's file carries along."""


def jpeg(image: "Image.Image", quality: int = 88, side: int = LIVE_SIDE) -> bytes:
    """`image` as a JPEG, at most `side` pixels long."""
    file = BytesIO()
    fitted(image, side).save(file, "JPEG", quality=quality)
    return file.getvalue()


def fitted(image: "Image.Image", side: int) -> "Image.Image":
    """`image` in RGB, scaled down where it is longer than `side` pixels."""
    image = opaque(image)
    if max(image.size) > side:
        image.thumbnail((side, side))
    return image


def as_shown(image: "Image.Image", sharp: bool) -> tuple[bytes, str]:
    """`image` as the page shows it while it grows, and its type. sharp: its pixels are meant to be seen, as a PNG."""
    if not sharp or max(image.size) > LIVE_SIDE:
        return jpeg(image), "image/jpeg"
    file = BytesIO()
    opaque(image).save(file, "PNG", compress_level=1)
    return file.getvalue(), "image/png"


def thumbnail(image: "Image.Image", side: int = 160) -> bytes:
    """The middle square of `image`, as a JPEG of `side` pixels."""
    from PIL import ImageOps

    return jpeg(ImageOps.fit(opaque(image), (side, side)), 85, side)


def static_jpeg(artwork: "Artwork") -> bytes:
    """The picture that stays in the notebook's file: as good as fits, with its recipe in it if that is short."""
    from text2art_nb.imaging.metadata.jpeg import embed

    recipe = artwork.recipe
    room = STATIC_BYTES - (len(recipe) if len(recipe) <= RECIPE_BYTES else 0)
    data = b""
    for quality in (95, 90, 85, 75, 60, 45, 30):
        data = jpeg(artwork.image, quality)
        if len(data) <= room:
            break
    return embed(data, recipe) if len(recipe) <= RECIPE_BYTES else data


def data_uri(data: bytes, kind: str = "image/jpeg") -> str:
    """Encode `data` as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def soft_noise(width: int, height: int) -> "Image.Image":
    """Make blurred grayish noise to show before the first frame."""
    import numpy as np
    from PIL import Image

    rows, columns = max(2, height // 32), max(2, width // 32)
    noise = 0.6 + 0.05 * np.random.default_rng(0).standard_normal((rows, columns, 3))
    coarse = Image.fromarray((noise.clip(0, 1) * 255).astype(np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def start_picture(settings: "Settings") -> "Image.Image":
    """The picture to show before the first frame: the init image, or noise of the picture's shape."""
    if settings.init_image is not None:
        return open_picture(settings.init_image)
    width, height = settings.picture_size
    scale = min(1.0, LIVE_SIDE / max(width, height))
    return soft_noise(max(1, round(width * scale)), max(1, round(height * scale)))
