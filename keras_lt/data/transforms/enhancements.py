"""Blends of images with what lacks something of them, as in Pillow.

`plain + factor * (image - plain)`, clipped and cut off: more of it for a
factor above 1, less below. Images are uint8 `(B, H, W, channels)`, factors
`(B,)`; `ops` is numpy or `keras.ops`.
"""

from typing import Any

LUMA = (19595, 38470, 7471)  # of red, green and blue, in 1 / 65536


def color(images: Any, factor: Any, *, ops: Any) -> Any:
    """Blend with grey; images of other than 3 channels stay."""
    if images.shape[-1] != 3:
        return images
    return _blend(_luma(images, ops), images, factor, ops)


def contrast(images: Any, factor: Any, *, ops: Any) -> Any:
    """Blend with the mean grey of the image."""
    luma = _luma(images, ops)
    pixels = luma.shape[1] * luma.shape[2] * luma.shape[3]
    total = ops.sum(luma, axis=(1, 2, 3), keepdims=True)
    mean = ops.floor_divide(2 * total + pixels, 2 * pixels)  # rounded
    return _blend(mean, images, factor, ops)


def brightness(images: Any, factor: Any, *, ops: Any) -> Any:
    """Blend with black."""
    return _blend(0, images, factor, ops)


def sharpness(images: Any, factor: Any, *, ops: Any) -> Any:
    """Blend with smooth images: the middle of 3x3 pixels counts five times.

    Pixels at the border stay.
    """
    x = ops.array(images, dtype="int16")
    rows = x[:, :-2] + x[:, 1:-1] + x[:, 2:]
    sums = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    sums = sums + 4 * x[:, 1:-1, 1:-1]
    smooth = ops.floor_divide(2 * sums + 13, 26)  # sums / 13, rounded
    sharp = _blend(smooth, images[:, 1:-1, 1:-1], factor, ops)
    middle = ops.concatenate(
        [images[:, 1:-1, :1], sharp, images[:, 1:-1, -1:]], axis=2
    )
    return ops.concatenate([images[:, :1], middle, images[:, -1:]], axis=1)


def _luma(images, ops):
    """Grey of colours, int32 `(B, H, W, 1)`; of others all channels."""
    x = ops.array(images, dtype="int32")
    if images.shape[-1] != 3:
        return x
    red, green, blue = (LUMA[i] * x[..., i : i + 1] for i in range(3))
    return ops.floor_divide(red + green + blue + 32768, 65536)


def _blend(plain, images, factor, ops):
    plain = ops.array(plain, dtype="float32")
    x = ops.array(images, dtype="float32")
    x = plain + factor[:, None, None, None] * (x - plain)
    return ops.array(ops.clip(x, 0, 255), dtype="uint8")
