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
    dtype = "float64" if ops is np else "float32"
    slope = ops.array(slope, dtype=dtype)[:, None, None]
    rows = ops.arange(height, dtype="int32")[:, None]
    x = ops.arange(width, dtype=dtype) + 0.5
    x = x + slope * (ops.array(rows, dtype=dtype) + 0.5)  # (B, H, W)
    inside = (x >= 0) & (x < width)
    x = x - 0.5
    first = ops.floor(x)
    # One for each channel: numpy is slow at short last axes.
    part = ops.repeat((x - first)[..., None], images.shape[-1], axis=-1)
    first = ops.array(first, dtype="int32")
    neighbours = (
        _pick(images, rows * width + ops.clip(first + i, 0, width - 1), ops)
        for i in (-1, 0, 1, 2)
    )
    a, b, c, d = (ops.array(pixel, dtype="int16") for pixel in neighbours)
    terms = (b, c - a, 2 * (a - b) + c - d, b - a - c + d)
    one, x1, x2, x3 = (ops.array(term, dtype=dtype) for term in terms)
    value = one + part * (x1 + part * (x2 + part * x3))
    value = ops.array(ops.clip(value, 0, 255), dtype="uint8")
    grey = ops.array(GREY, dtype="uint8")
    return ops.where(inside[..., None], value, grey)


def shear_y(images: Any, slope: Any, *, ops: Any) -> Any:
    """Show what lies `slope` times the column further down; bicubic."""
    turned = ops.swapaxes(images, 1, 2)
    return ops.swapaxes(shear_x(turned, slope, ops=ops), 1, 2)
