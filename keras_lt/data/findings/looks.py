"""A few numbers of each image, from one pass over all of them."""

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

AT_ONCE = 256
SIDE = 16  # pixels of the small copies
FLAT = 3.0  # of 255: with less contrast, an image is of one colour
ROWS, COLUMNS = 8, 9  # of the hash: differences of neighbours in a row


@dataclasses.dataclass(frozen=True)
class Looks:
    """Of N images, in their order.

    Args:
        digest: Equal ones are of equal pixels, bytes `(N,)`.
        hash: Close ones are of similar images, uint64 `(N,)`.
        small: Small copies, uint8 `(N, 16, 16, channels)`.
        brightness: Mean of the pixels, 0 to 255, `(N,)`.
        contrast: Standard deviation of the grey pixels `(N,)`.
        color: Mean distance of the largest and least channel `(N,)`.
    """

    digest: np.ndarray
    hash: np.ndarray
    small: np.ndarray
    brightness: np.ndarray
    contrast: np.ndarray
    color: np.ndarray


def look(
    images: Any,
    index: np.ndarray,
    progress: Callable[[int], Any] = lambda done: None,
) -> Looks:
    """Read images once, and keep a few numbers of each.

    Args:
        images: `(N, H, W, channels)`, an array or `ImageFiles`.
        index: Positions to look at, such as those that can be read.
        progress: Called with the number of images so far.
    """
    parts = []
    for start in range(0, len(index), AT_ONCE):
        pixels = images[index[start : start + AT_ONCE]]
        parts.append(_look(np.asarray(pixels)))
        progress(start + len(pixels))
    empty = _look(np.zeros((0, *images.shape[1:]), "uint8"))
    columns = zip(*(parts or [empty]), strict=True)
    return Looks(*(np.concatenate(column) for column in columns))


def _look(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
    grey = pixels.mean(-1)  # (B, H, W)
    values = pixels.astype("int16")
    return (
        np.array([hashlib.sha256(p.tobytes()).digest() for p in pixels], "S32"),
        difference_hash(grey),
        np.round(shrink(pixels, SIDE, SIDE)).astype("uint8"),
        grey.mean((1, 2)),
        grey.std((1, 2)),
        (values.max(-1) - values.min(-1)).mean((1, 2)),
    )


def shrink(pixels: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Means over a grid; where that is finer than the pixels, these again.

    Args:
        pixels: `(B, H, W, ...)`.
        rows: Of the grid.
        columns: Of the grid.

    Returns:
        float64 `(B, rows, columns, ...)`.
    """
    small = pixels.astype("float64")
    for axis, number in ((1, rows), (2, columns)):
        size = small.shape[axis]
        if size < number:
            places = np.arange(number) * size // number
            small = np.take(small, places, axis)
        else:
            borders = np.arange(number + 1) * size // number
            shape = [1] * small.ndim
            shape[axis] = number
            sums = np.add.reduceat(small, borders[:-1], axis)
            small = sums / np.diff(borders).reshape(shape)
    return small


def difference_hash(grey: np.ndarray) -> np.ndarray:
    """64 bits: where brightness rises from the left to the right.

    Args:
        grey: `(B, H, W)`.

    Returns:
        uint64 `(B,)`.

    Example:
        >>> ramp = np.tile(np.arange(18.0), (1, 16, 1))
        >>> int(difference_hash(ramp)[0]) == 2**64 - 1
        True
    """
    rises = np.diff(shrink(grey, ROWS, COLUMNS), axis=2) > 0
    packed = np.packbits(rises.reshape(len(grey), 64), axis=1)
    return np.ascontiguousarray(packed).view("uint64").reshape(-1)
