"""Images that are unlike the others."""

from typing import Any

import numpy as np

from keras_lt.array_files import BROKEN
from keras_lt.data.findings.looks import FLAT, Looks
from keras_lt.image_reader import FORMATS

DARK, BRIGHT, GREY = 10.0, 245.0, 2.0  # of 255
MOSTLY = 0.9  # of the images are coloured: then grey ones are odd
LONG = 4.0  # sides


def odd_looks(looks: Looks) -> dict[str, np.ndarray]:
    """Positions of odd images, by what is odd."""
    flat = looks.contrast < FLAT
    grey = looks.color < GREY
    colored = len(grey) > 0 and (~grey).mean() >= MOSTLY
    found = {
        "one colour": flat,
        "nearly black": (looks.brightness < DARK) & ~flat,
        "nearly white": (looks.brightness > BRIGHT) & ~flat,
        "grey among colours": grey & ~flat & colored,
    }
    return {k: np.flatnonzero(odd) for k, odd in found.items() if odd.any()}


def odd_sizes(sizes: np.ndarray, side: int) -> dict[str, np.ndarray]:
    """Positions of images of odd sizes, by what is odd.

    Args:
        sizes: Width and height `(N, 2)` in pixels; 0 where unknown.
        side: Of the squares that a model learns from.
    """
    known = sizes.min(1) > 0
    shorter = np.where(known, sizes.min(1), side)
    found = {
        "less than half as many pixels as a side of --image_size": (
            2 * shorter < side
        ),
        "more than four times as long as wide": (
            known & (sizes.max(1) > LONG * shorter)
        ),
    }
    return {k: np.flatnonzero(odd) for k, odd in found.items() if odd.any()}


def read_sizes(images: Any, index: np.ndarray) -> np.ndarray:
    """Width and height `(B, 2)` of image files, without decoding them.

    0 where a file cannot be read, or is no file of its own.

    Args:
        images: `ImageFiles`.
        index: Positions `(B,)` of those that `images.check` finds no fault in.
    """
    from PIL import Image

    sizes = np.zeros((len(index), 2), "int64")
    for row, position in enumerate(index):
        try:
            path = images.path(position)
            with Image.open(path, "r", FORMATS) as image:
                sizes[row] = image.size
        except (*BROKEN, Image.DecompressionBombError):
            continue
    return sizes
