"""Turns, shifts and shears of images, as Pillow computes them.

Images are uint8 `(B, H, W, channels)`; `ops` is numpy or `keras.ops`. What
shows nothing of an image is grey.
"""

from typing import Any

import numpy as np

from keras_lt.data.transforms.moves import pick, pick_with

GREY = 128
UNIT = 1 << 16


def turns(degrees: np.ndarray, height: int, width: int) -> np.ndarray:
    """Matrices that turn images around their centre, for `warp`.

    Args:
        degrees: Angles `(...)`, counter-clockwise.
        height: H of the images.
        width: W of the images.

    Returns:
        int32 `(..., 6)`, see `warp`.
    """
    angles = np.deg2rad(degrees)
    cos, sin = np.cos(angles), np.sin(angles)
    x, y = width / 2, height / 2
    right = x - cos * x + sin * y
    down = y - sin * x - cos * y
    return _fixed(cos, -sin, right, sin, cos, down)


def shifts(right: np.ndarray | float, down: np.ndarray | float) -> np.ndarray:
    """Matrices that show what lies some pixels to the right and down."""
    return _fixed(1.0, 0.0, right, 0.0, 1.0, down)


def _fixed(a, b, c, d, e, f):
    """A matrix in units of 1 / UNIT, for the centres of pixels."""
    entries = (a, b, c + a / 2 + b / 2, d, e, f + d / 2 + e / 2)
    matrix = np.stack(np.broadcast_arrays(*entries), axis=-1)
    return np.floor(UNIT * matrix + 0.5).astype("int32")


def warp(images: Any, matrix: Any, *, ops: Any) -> Any:
    """Take the pixel that a matrix names for each pixel.

    Args:
        images: `(B, H, W, channels)`.
        matrix: int32 `(B, 6)` in units of 1 / `UNIT`: the column that pixel
            (x, y) shows is `m0 x + m1 y + m2`, its row `m3 x + m4 y + m5`,
            both rounded down.
        ops: numpy or `keras.ops`.

    Returns:
        `(B, H, W, channels)`, the same on every device.
    """
    height, width = images.shape[1:3]
    x = ops.arange(width, dtype="int32")
    y = ops.arange(height, dtype="int32")[:, None]
    m = [matrix[:, i, None, None] for i in range(6)]
    columns = ops.floor_divide(m[0] * x + m[1] * y + m[2], UNIT)  # (B, H, W)
    rows = ops.floor_divide(m[3] * x + m[4] * y + m[5], UNIT)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    source = ops.where(inside, rows * width + columns, height * width)
    return _pick(images, source, ops)


def _pick(images, source, ops):
    """Pixels by their numbers, int `(B, H, W)`; H * W for grey."""
    source = ops.reshape(source, (-1, source.shape[1] * source.shape[2]))
    if ops is np:
        return pick(images, source, GREY)
    return pick_with(ops, images, source, GREY)


def shear_x(images: Any, slope: Any, *, ops: Any) -> Any:
    """Show what lies `slope` times the row to the right; bicubic.

    Args:
        images: `(B, H, W, channels)`.
        slope: `(B,)`.
        ops: numpy, in doubles as Pillow, or `keras.ops`, in float32.
    """
    height, width = images.shape[1:3]
    rows = ops.arange(height, dtype="int32")[:, None]
    columns = ops.arange(width, dtype="int32")

    def source(place):
        return rows * width + place

    return _shear(images, slope, columns, rows, width, source, ops)


def shear_y(images: Any, slope: Any, *, ops: Any) -> Any:
    """Show what lies `slope` times the column further down; bicubic."""
    height, width = images.shape[1:3]
    rows = ops.arange(height, dtype="int32")[:, None]
    columns = ops.arange(width, dtype="int32")

    def source(place):
        return place * width + columns

    return _shear(images, slope, rows, columns, height, source, ops)


def _shear(images, slope, along, across, side, source, ops):
    """Show what lies a number of pixels times `slope` further along.

    Args:
        images: `(B, H, W, channels)`.
        slope: `(B,)`.
        along: Places along the shear, rows `(H, 1)` or columns `(W,)`.
        across: The others.
        side: Pixels along the shear.
        source: Function from places along it `(B, H, W)` to pixels' numbers.
        ops: numpy or `keras.ops`.
    """
    shape, channels = images.shape, images.shape[-1]
    dtype = "float64" if ops is np else "float32"
    slope = ops.array(slope, dtype=dtype)[:, None, None]
    x = ops.array(along, dtype=dtype) + 0.5
    x = x + slope * (ops.array(across, dtype=dtype) + 0.5)  # (B, H, W)
    inside = (x >= 0) & (x < side)
    x = x - 0.5
    first = ops.floor(x)
    # One for each channel: numpy is slow at short last axes.
    part, inside = (
        ops.repeat(ops.reshape(each, (-1, shape[1] * shape[2])), channels, 1)
        for each in (x - first, inside)
    )
    first = ops.array(first, dtype="int32")
    a, b, c, d = (
        ops.array(ops.reshape(pixels, part.shape), dtype="int16")
        for pixels in (
            _pick(images, source(ops.clip(first + i, 0, side - 1)), ops)
            for i in (-1, 0, 1, 2)
        )
    )
    value = part * ops.array(b - a - c + d, dtype=dtype)
    for term in (2 * (a - b) + c - d, c - a):
        value += ops.array(term, dtype=dtype)  # of numpy in place
        value *= part
    value += ops.array(b, dtype=dtype)
    value = ops.array(ops.clip(value, 0, 255), dtype="uint8")
    grey = ops.array(GREY, dtype="uint8")
    return ops.reshape(ops.where(inside, value, grey), (-1, *shape[1:]))
