"""Random resized crops, colour jitter, grey and blur, drawn for each image.

All of it runs on whole batches; `ops` is numpy or `keras.ops`.
"""

from typing import Any

import numpy as np

from keras_lt.data.transforms.colours import (
    brightness,
    contrast,
    grey,
    saturation,
    shift_hue,
)
from keras_lt.data.transforms.rows import change_rows
from keras_lt.data.transforms.windows import draw_windows, place_windows


def distort(
    images: np.ndarray, random: np.random.Generator, augment: Any
) -> np.ndarray:
    """Crop and resize, jitter, grey and blur, in this order.

    Colours are clipped to 0..255 after each step and rounded once, at the
    end. Images of another depth than 3 have no hue, saturation or grey.

    Args:
        images: uint8 `(B, H, W, channels)`.
        random: Where the draws come from.
        augment: A `data.Augment`.

    Returns:
        uint8 `(B, H, W, channels)`.

    Source: the transforms of the same names in torchvision, which clip alike,
        but round after each step.
    """
    draws = draw_distortions(random, augment, *images.shape)
    return distort_drawn(images, draws, augment, np)


def draw_distortions(
    random: np.random.Generator,
    augment: Any,
    batch: int,
    height: int | None,
    width: int | None,
    channels: int,
) -> dict[str, np.ndarray]:
    """Draw what `distort` needs.

    Args:
        random: Where the draws come from.
        augment: A `data.Augment`.
        batch: Number of images B.
        height: H; None if each image has its own, then `window` is what
            `draw_windows` returns.
        width: W; None likewise.
        channels: Depth of an image.

    Returns:
        Those of `window` `(B, 4)`, see `place_windows`; `jittered` `(B,)`,
        `changes` and `order` `(B, 4)`; `grey` `(B,)`; `blurred` and `sigma`
        `(B,)` that the augmentation asks for.
    """
    draws = {}
    if augment.crop_scale:
        square = bool(augment.growing)
        window = draw_windows(random, batch, augment.crop_scale, square=square)
        if height is not None and width is not None:
            window = place_windows(window, height, width)
        draws["window"] = window
    if any(augment.jitter):
        draws["jittered"] = random.random(batch) < augment.jitter_share
        changes = random.uniform(-1, 1, (4, batch)).astype("float32").T
        draws["changes"] = changes * np.array(augment.jitter, "float32")
        draws["order"] = random.random((4, batch)).argsort(0).T.astype("int32")
    if augment.grey_share and channels == 3:
        draws["grey"] = random.random(batch) < augment.grey_share
    if augment.blur_share:
        draws["blurred"] = random.random(batch) < augment.blur_share
        least, most = augment.blur_sigma
        sigma = random.uniform(least, most, batch)
        draws["sigma"] = sigma.astype("float32")
    return draws


def distort_drawn(
    images: Any, draws: dict[str, Any], augment: Any, ops: Any
) -> Any:
    """Do what was drawn, see `distort`."""
    height, width = images.shape[1:3]
    x = ops.array(images, dtype="float32")
    if "window" in draws:
        top, rows, left, columns = (draws["window"][:, i] for i in range(4))
        x = resample(
            x,
            _bilinear(top, rows, height, ops),
            _bilinear(left, columns, width, ops),
            ops,
        )
    if "jittered" in draws:
        x = _jitter(x, draws, augment.jitter, ops)
    if "grey" in draws:
        x = change_rows(draws["grey"], grey, x, (), ops)
    if "blurred" in draws:
        x = change_rows(draws["blurred"], _blur, x, (draws["sigma"],), ops)
    return ops.array(ops.round(x), dtype="uint8")


def resample(x: Any, rows: Any, columns: Any, ops: Any) -> Any:
    """Mix rows and columns of images by a matrix for each.

    Args:
        x: float `(B, H, W, channels)`.
        rows: `(B, H, H)`, from source to result.
        columns: `(B, W, W)`, from source to result.
        ops: numpy or `keras.ops`.
    """
    height, width, channels = x.shape[1:]
    x = ops.matmul(rows, ops.reshape(x, (-1, height, width * channels)))
    x = ops.swapaxes(ops.reshape(x, (-1, height, width, channels)), 1, 2)
    x = ops.matmul(columns, ops.reshape(x, (-1, width, height * channels)))
    x = ops.swapaxes(ops.reshape(x, (-1, width, height, channels)), 1, 2)
    return np.ascontiguousarray(x) if ops is np else x


def _bilinear(start, length, size, ops):
    """Matrices `(B, size, size)` that stretch windows to the whole."""
    numbers = ops.arange(size, dtype="float32")
    length = length[:, None]
    ahead = (numbers + 0.5) * (length / size) - 0.5
    ahead = ops.minimum(ops.maximum(ahead, 0), length - 1)
    distance = ops.abs((start[:, None] + ahead)[..., None] - numbers)
    return ops.maximum(1 - distance, 0)


def _blur(x, sigma, ops):
    """Gaussian blur."""
    height, width = x.shape[1:3]
    rows, columns = (_gaussian(sigma, size, ops) for size in (height, width))
    return resample(x, rows, columns, ops)


def _gaussian(sigma, size, ops):
    """Matrices `(B, size, size)` that blur; rows sum to 1 at edges, too."""
    numbers = ops.arange(size, dtype="float32")
    apart = numbers[:, None] - numbers
    weights = ops.exp(-0.5 * (apart / sigma[:, None, None]) ** 2)
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def _jitter(x, draws, strengths, ops):
    """Brightness, contrast, saturation and hue, in an order for each image."""
    steps = (brightness, contrast, saturation, shift_hue)
    steps = steps[: 4 if x.shape[-1] == 3 else 2]
    for turn in range(4):
        for number, step in enumerate(steps):
            if strengths[number]:
                rows = draws["jittered"] & (draws["order"][:, turn] == number)
                change = draws["changes"][:, number, None, None, None]
                x = change_rows(rows, step, x, (change,), ops)
    return x
