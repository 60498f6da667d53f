"""The one reader of image files: for training, evaluation and prediction.

It needs neither Keras nor a backend, so that a program that only asks an
exported model reads images as the training did.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np

from keras_lt.array_files import BROKEN, check_regular, reason_of

ORIENTATION = 0x0112  # tag of EXIF
TURNED = (5, 6, 7, 8)  # values of it that swap width and height
# No others: for some, Pillow starts programs that are known for their holes.
FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
ENDINGS = (  # that images are found by in folders
    *(".bmp", ".gif", ".jpeg", ".jpg", ".jp2", ".pbm", ".pgm", ".png"),
    *(".pnm", ".ppm", ".tif", ".tiff", ".webp"),
)
MAX_PIXELS = 178_956_970  # of an image; Pillow's own limit
Window = Callable[[int, int], Sequence[float]]


class DataError(ValueError):
    """Data that is missing, damaged, or too small for what is asked."""


def whole_of(size: int) -> int:
    """Default of `whole` in `read_image`: 256 for 224, and in proportion.

    Example:
        >>> whole_of(224), whole_of(32)
        (256, 37)
    """
    return round(size * 256 / 224)


def read_image(
    path: str | os.PathLike,
    size: int,
    *,
    whole: int | None = None,
    channels: int = 3,
    window: Window | None = None,
    file: BinaryIO | None = None,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Read an image file as a square, by default of its centre.

    The shorter side is resized to `whole`, and a square of `size` is cut out
    of the middle; nothing is squashed. CMYK, palettes and greyscale become
    RGB, 16 bits become 8, transparency is dropped, and the orientation of EXIF
    is followed. JPEGs are decoded at the smallest size that serves.

    Args:
        path: Of the file, in one of `FORMATS`, whatever its ending says.
        size: S, pixels of a side of the result.
        whole: Pixels of the shorter side of the whole image, `whole_of(size)`
            by default. Networks that were trained on small whole images take
            `whole=size`.
        channels: 3, or 1 for the luma (ITU-R 601).
        window: Function from the height and width of the upright image to
            first row, rows, first column and columns of what is resized to
            the square in place of the centre; `whole` is then not used.
        file: What to read from instead; `path` then only names it.
        max_pixels: Of an image that is decoded; a small file may claim
            billions.

    Returns:
        uint8 `(S, S, channels)`.

    Raises:
        DataError: naming the file and the reason, if it cannot be read.
        ValueError: if `size`, `whole` or `channels` is out of range.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> photo = io.BytesIO()
        >>> Image.new("RGB", (64, 48), (9, 9, 9)).save(photo, "png")
        >>> read_image("photo.png", 4, channels=1, file=photo)[0, 0]
        array([9], dtype=uint8)
    """
    whole = whole_of(size) if whole is None else whole
    if not 1 <= size <= whole:
        raise ValueError(
            f"`size` must be from 1 to `whole`, got {size} and {whole}"
        )
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 or 3, got {channels}")
    window = window or _centre(size / whole)
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(
            "images on disk need Pillow; pip install 'keras_lt[images]' brings "
            "it"
        ) from error
    try:
        if file is None:
            check_regular(path)
        if max_pixels > MAX_PIXELS:  # where Pillow refuses
            Image.MAX_IMAGE_PIXELS = None
        with Image.open(path if file is None else file, "r", FORMATS) as image:
            _check_pixels(image, max_pixels)
            image, box = _upright(image, size, window)
            image = _rgb(image) if channels == 3 else _rgb(image).convert("L")
            image = image.resize((size, size), Image.Resampling.BILINEAR, box)
            return np.asarray(image).reshape(size, size, channels)
    except (*BROKEN, *_bombs(Image), TypeError) as error:
        reason = reason_of(error).replace(f" {file!r}", "")  # names no file
        raise DataError(f"{path} cannot be read: {reason}") from error


def _bombs(pillow):
    return pillow.DecompressionBombWarning, pillow.DecompressionBombError


def _check_pixels(image, max_pixels):
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise ValueError(
            f"it has {pixels:,} pixels, more than {max_pixels:,} (--max_pixels)"
        )


def _centre(share: float) -> Window:
    """The middle square, a share of the shorter side."""

    def window(height, width):
        side = share * min(height, width)
        return (height - side) / 2, side, (width - side) / 2, side

    return window


def _upright(image: Any, size: int, window: Window) -> tuple[Any, tuple]:
    """Decode no more than is needed; return the box of the window as well."""
    from PIL import ImageOps

    width, height = image.size
    orientation = image.getexif().get(ORIENTATION, 1)
    if orientation in TURNED:
        width, height = height, width
    top, rows, left, columns = window(height, width)
    scale = max(size / rows, size / columns)
    image.draft("RGB", [int(np.ceil(scale * s)) for s in image.size])
    if orientation != 1:
        image = ImageOps.exif_transpose(image)
    across, down = image.width / width, image.height / height
    return image, (
        left * across,
        top * down,
        min((left + columns) * across, image.width),
        min((top + rows) * down, image.height),
    )


def _rgb(image):
    from PIL import Image

    if image.mode[0] in "IF":  # 16 bits, which Pillow would clip
        values = np.asarray(image)
        return Image.fromarray((values / 257).astype("uint8")).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
