"""New values for single values of an image, as Pillow computes them.

Images are uint8 `(B, H, W, channels)`, what belongs to each is `(B,)`; `ops`
is numpy or `keras.ops`.
"""

from typing import Any

import numpy as np


def _each(value):
    return value[:, None, None, None]


def invert(images: Any, value: Any, *, ops: Any) -> Any:
    """Turn all values upside down; `value` is of no use."""
    return 255 - images


def solarize(images: Any, threshold: Any, *, ops: Any) -> Any:
    """Turn the values from a threshold on, 0 to 256, upside down."""
    kept = ops.array(images, dtype="float32") < _each(threshold)
    return ops.where(kept, images, 255 - images)


def posterize(images: Any, step: Any, *, ops: Any) -> Any:
    """Round values down to multiples of a power of two, 1 to 16."""
    step = ops.clip(_each(step), 1, 16)  # also where it is not one, to divide
    step = ops.array(step, dtype="uint8")
    return images - images % step


def autocontrast(images: Any, value: Any, *, ops: Any) -> Any:
    """Stretch each channel to 0..255; `value` is of no use.

    On the device the quotient is exact. Pillow's is one of doubles, which may
    lie below an integer that it should be; so does it here, with numpy.
    """
    darkest = ops.min(images, axis=(1, 2), keepdims=True)
    brightest = ops.max(images, axis=(1, 2), keepdims=True)
    low = ops.array(darkest, dtype="int32")
    width = ops.array(brightest, dtype="int32") - low  # (B, 1, 1, channels)
    if ops is np:
        scale = 255.0 / np.maximum(width, 1)
        stretched = np.clip(images * scale + -low * scale, 0, 255)
    else:
        over = ops.array(images, dtype="int32") - low
        stretched = ops.floor_divide(255 * over, ops.maximum(width, 1))
    stretched = ops.array(stretched, dtype="uint8")
    return ops.where(width > 0, stretched, images)


def equalize(images: Any, value: Any, *, ops: Any) -> Any:
    """Spread the values of each channel evenly; `value` is of no use."""
    keys = _keys(images, ops)
    counts = _histograms(keys, images.shape[-1], ops)  # (B, channels, 256)
    below = ops.cumsum(counts, axis=-1) - counts
    most = ops.max(ops.where(counts > 0, below, 0), axis=-1, keepdims=True)
    step = ops.floor_divide(most, 255)  # (B, channels, 1)
    spread = ops.floor_divide(
        ops.floor_divide(step, 2) + below, ops.maximum(step, 1)
    )
    same = ops.arange(256, dtype="int32")
    tables = ops.where(step > 0, ops.minimum(spread, 255), same)
    flat = ops.reshape(ops.array(tables, dtype="uint8"), (-1,))
    return ops.take(flat, keys, axis=0)


def _keys(images, ops):
    """An integer for each image, channel and value, in this order."""
    channels = images.shape[-1]
    numbers = ops.ones_like(images[:, :1, :1, :1], dtype="int32")
    number = ops.cumsum(numbers, axis=0) - 1  # also where B is not known
    row = number * channels + ops.arange(channels, dtype="int32")
    return 256 * row + ops.array(images, dtype="int32")


def _histograms(keys, channels, ops):
    """How often each value occurs, int32 `(B, channels, 256)`."""
    every = 256 * channels * ops.shape(keys)[0]
    flat = ops.reshape(keys, (-1,))
    if ops is np:
        counts = np.bincount(flat, minlength=every).astype("int32")
    else:
        counts = ops.segment_sum(ops.ones_like(flat), flat, every)
    return ops.reshape(counts, (-1, channels, 256))
