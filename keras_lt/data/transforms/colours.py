"""Colours of images in 0..255; `ops` is numpy or `keras.ops`."""

from typing import Any

import numpy as np

GREY = np.array([0.299, 0.587, 0.114], "float32")  # ITU-R 601


def _luma(x, ops):
    """Weighted mean of the channels, `(B, H, W, 1)`."""
    if x.shape[-1] != 3:
        return x
    return ops.tensordot(x, GREY, 1)[..., None]


def grey(x: Any, *, ops: Any) -> Any:
    """Luma in every channel; single channels as they are."""
    return _luma(x, ops) + ops.zeros_like(x)


def _clipped(x, ops):
    return ops.clip(x, 0, 255)


def brightness(x: Any, change: Any, *, ops: Any) -> Any:
    """Multiply by `1 + change`."""
    return _clipped(x * (1 + change), ops)


def contrast(x: Any, change: Any, *, ops: Any) -> Any:
    """Multiply the distance from the image's mean luma by `1 + change`."""
    mean = ops.mean(_luma(x, ops), axis=(1, 2, 3), keepdims=True)
    return _clipped(mean + (x - mean) * (1 + change), ops)


def saturation(x: Any, change: Any, *, ops: Any) -> Any:
    """Multiply the distance from the pixel's luma by `1 + change`."""
    luma = _luma(x, ops)
    return _clipped(luma + (x - luma) * (1 + change), ops)


def shift_hue(x: Any, turn: Any, *, ops: Any) -> Any:
    """Turn the hue by a share of the circle; value and saturation stay."""
    red, green, blue = (ops.array(x[..., i]) for i in range(3))  # contiguous
    value = ops.maximum(ops.maximum(red, green), blue)
    chroma = value - ops.minimum(ops.minimum(red, green), blue)
    safe = ops.where(chroma > 0, chroma, 1.0)
    hue = ops.where(
        value == red,
        (green - blue) / safe,
        ops.where(
            value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe
        ),
    )
    hue = hue + 6 * turn[..., 0]  # sixths of the circle
    channels = []
    for opposite in (3, 5, 1):  # cyan, magenta, yellow
        apart = hue - opposite
        apart = ops.abs(apart - 6 * ops.round(apart / 6))  # 0..3
        channels.append(value - chroma * ops.clip(2 - apart, 0, 1))
    return ops.stack(channels, axis=-1)
