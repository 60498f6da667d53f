"""Small pictures that travel in the page itself."""

import base64
import io
from typing import Any

import numpy as np

SIDE = 64  # pixels of the longer side, at most
SMALL = 16  # up to here, PNG is smaller than JPEG, and exact


def picture(image: np.ndarray, side: int = SIDE) -> str:
    """Make a data URI of an image.

    Args:
        image: uint8 `(H, W, 1)` or `(H, W, 3)`.
        side: Pixels of the longer side, at most.

    Raises:
        ImportError: if Pillow is not installed.
    """
    from PIL import Image

    pixels = np.asarray(image, "uint8")
    drawn = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    drawn.thumbnail((side, side))
    kind = "png" if max(drawn.size) <= SMALL else "jpeg"
    file = io.BytesIO()
    drawn.save(file, kind, **({"quality": 75} if kind == "jpeg" else {}))
    text = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{kind};base64,{text}"


def pictures(images: Any, index: np.ndarray, side: int = SIDE) -> list[str]:
    """Data URIs of some images; '' for one that cannot be read.

    Args:
        images: `(N, H, W, channels)`, an array or `data.ImageFiles`.
        index: Positions.
        side: See `picture`.
    """
    from keras_lt.image_reader import DataError

    found = []
    for position in index:
        try:
            found.append(picture(images[np.array([position])][0], side))
        except DataError:
            found.append("")
    return found
