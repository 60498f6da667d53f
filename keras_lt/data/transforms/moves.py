"""Crops, flips and turns: a choice of one source pixel for each pixel.

They are drawn with numpy from the seed, and all that follows is integers, so
numpy, TensorFlow and JAX give the same images. `ops` is numpy or `keras.ops`.
"""

from typing import Any

import numpy as np

UNIT = 1 << 18  # of cosines and sines as integers
AT_A_TIME = 1 << 14  # pixels
DRAWN = {"offset", "mirrored", "turn"}


def draw_moves(
    random: np.random.Generator,
    batch: int,
    *,
    pad: int,
    flip: bool,
    rotation: float,
) -> dict[str, np.ndarray]:
    """Draw where the pixels of each image come from.

    Returns:
        `offset` `(B, 2)`, rows and columns; `mirrored` `(B,)`; and `turn`
        `(B, 2)`, cosine and sine of the angle in units of 1 / `UNIT`.
    """
    offsets = random.integers(0, 2 * pad + 1, (2, batch), "int32") - pad
    draws = {
        "offset": np.ascontiguousarray(offsets.T.astype("int32")),
        "mirrored": random.random(batch) < 0.5 * flip,
    }
    if rotation:
        angles = np.deg2rad(random.uniform(-rotation, rotation, batch))
        parts = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        draws["turn"] = np.rint(UNIT * parts).astype("int32")
    return draws


def source_pixels(
    draws: dict[str, Any], height: int, width: int, ops: Any
) -> Any:
    """Positions in the flattened image that its pixels come from.

    Args:
        draws: See `draw_moves`.
        height: Rows H of an image, up to 2048.
        width: Columns W of an image, up to 2048.
        ops: numpy or `keras.ops`.

    Returns:
        int32 `(B, H * W)`; H * W stands for a zero pixel.
    """
    rows = ops.arange(height, dtype="int32")[None, :, None]
    columns = ops.arange(width, dtype="int32")[None, None]
    inside = True
    if "turn" in draws:
        rows, columns = turn(draws["turn"], height, width, ops)
        inside = _inside(rows, height) & _inside(columns, width)
    mirrored = draws["mirrored"][:, None, None]
    columns = ops.where(mirrored, width - 1 - columns, columns)
    rows = rows + draws["offset"][:, 0, None, None]
    columns = columns + draws["offset"][:, 1, None, None]
    inside = inside & _inside(rows, height) & _inside(columns, width)
    source = ops.where(inside, rows * width + columns, height * width)
    return ops.reshape(source, (-1, height * width))


def _inside(index, size):
    return (index >= 0) & (index < size)


def turn(parts: Any, height: int, width: int, ops: Any) -> tuple[Any, Any]:
    """Rows and columns that images show when they are turned.

    Args:
        parts: Cosine and sine of the angles, counter-clockwise, in units of
            1 / `UNIT`, int32 `(B, 2)`.
        height: Rows H of an image.
        width: Columns W of an image.
        ops: numpy or `keras.ops`.

    Returns:
        int32 rows and columns `(B, H, W)`, in part outside of the image:
        nearest neighbours.
    """
    cos, sin = parts[:, 0, None, None], parts[:, 1, None, None]
    # Twice the distance from the middle, so that it is whole.
    y = 2 * ops.arange(height, dtype="int32")[None, :, None] - (height - 1)
    x = 2 * ops.arange(width, dtype="int32")[None, None] - (width - 1)
    rows = cos * y + sin * x + height * UNIT
    columns = cos * x - sin * y + width * UNIT
    return (
        ops.floor_divide(rows, 2 * UNIT),
        ops.floor_divide(columns, 2 * UNIT),
    )


def pick(images: np.ndarray, source: np.ndarray, fill: int = 0) -> np.ndarray:
    """Pick pixels of numpy images.

    Args:
        images: `(B, H, W, channels)`.
        source: `(B, H * W)`, see `source_pixels`.
        fill: Value of the pixel that H * W stands for.
    """
    number, height, width, channels = images.shape
    shape = (number, height * width + 1, channels)
    flat = np.full(shape, fill, images.dtype)  # quicker than `np.pad`
    flat[:, :-1] = images.reshape(number, -1, channels)
    first = np.arange(number)[:, None] * shape[1]
    pixels = flat.reshape(-1, channels)
    return pixels.take(first + source, axis=0, mode="clip").reshape(
        images.shape
    )


def move(images: np.ndarray, draws: dict[str, np.ndarray]) -> np.ndarray:
    """Move the pixels of numpy images, a few images at a time.

    What is computed on the way for a whole batch would be given back to the
    system after each batch: then pages, not arithmetic, take most of the time.

    Args:
        images: `(B, H, W, channels)`.
        draws: See `draw_moves`.
    """
    moved = np.empty_like(images)
    height, width = images.shape[1:3]
    step = max(AT_A_TIME // (height * width), 1)
    for start in range(0, len(images), step):
        part = slice(start, start + step)
        few = {name: draws[name][part] for name in DRAWN & draws.keys()}
        source = source_pixels(few, height, width, np)
        moved[part] = pick(images[part], source)
    return moved


def pick_with(ops: Any, images: Any, source: Any, fill: int = 0) -> Any:
    """Do the same with tensors of the backend; `ops` is `keras.ops`."""
    height, width, channels = images.shape[1:]
    flat = ops.reshape(images, (-1, height * width, channels))
    flat = ops.pad(flat, [[0, 0], [0, 1], [0, 0]], constant_values=fill)
    picked = ops.take_along_axis(flat, source[..., None], axis=1)
    return ops.reshape(picked, (-1, height, width, channels))
