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
    keys = _keys(images, ops)
    there = _histograms(keys, images.shape[-1], ops) > 0
    values = ops.arange(256, dtype="int32")
    low = ops.min(ops.where(there, values, 255), axis=-1, keepdims=True)
    high = ops.max(ops.where(there, values, 0), axis=-1, keepdims=True)
    width = high - low  # (B, channels, 1)
    if ops is np:
        scale = 255.0 / np.maximum(width, 1)
        tables = values * scale + -low * scale
    else:
        over = ops.maximum(values - low, 0)
        tables = ops.floor_divide(255 * over, ops.maximum(width, 1))
    return _look_up(ops.where(width > 0, tables, values), keys, ops)


def equalize(images: Any, value: Any, *, ops: Any) -> Any:
    """Spread the values of each channel evenly; `value` is of no use."""
    keys = _keys(images, ops)
    counts = _histograms(keys, images.shape[-1], ops)
    below = ops.cumsum(counts, axis=-1) - counts
    most = ops.max(ops.where(counts > 0, below, 0), axis=-1, keepdims=True)
    step = ops.floor_divide(most, 255)  # (B, channels, 1)
    tables = ops.floor_divide(
        ops.floor_divide(step, 2) + below, ops.maximum(step, 1)
    )
    values = ops.arange(256, dtype="int32")
    return _look_up(ops.where(step > 0, tables, values), keys, ops)


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


def _look_up(tables, keys, ops):
    """New values by tables `(B, channels, 256)`, clipped and cut off."""
    flat = ops.reshape(ops.clip(tables, 0, 255), (-1,))
    return ops.take(ops.array(flat, dtype="uint8"), keys, axis=0)
