"""Random resized crops, colour jitter, grey and blur, drawn for each image.

All of it is numpy on a whole batch, so every backend gets the same pixels.
"""

from typing import Any

import numpy as np

GREY = np.array([0.299, 0.587, 0.114], "float32")  # ITU-R 601
ASPECTS = (3 / 4, 4 / 3)
TRIES = 10


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
    batch, height, width, channels = images.shape
    x = images.astype("float32")
    if augment.crop_scale:
        windows = draw_windows(random, batch, height, width, augment.crop_scale)
        x = resample(
            x,
            _bilinear(*windows[:, :2].T, height),
            _bilinear(*windows[:, 2:].T, width),
        )
    if any(augment.jitter):
        chosen = random.random(batch) < augment.jitter_share
        x = _jitter(x, random, augment.jitter, chosen)
    if augment.grey_share and channels == 3:
        chosen = random.random(batch) < augment.grey_share
        x[chosen] = grey(x[chosen])
    if augment.blur_share:
        chosen = random.random(batch) < augment.blur_share
        sigma = random.uniform(*augment.blur_sigma, batch)[chosen]
        x[chosen] = resample(
            x[chosen], _gaussian(sigma, height), _gaussian(sigma, width)
        )
    return np.rint(x).astype("uint8")


def draw_windows(
    random: np.random.Generator,
    batch: int,
    height: int,
    width: int,
    scale: tuple[float, float],
) -> np.ndarray:
    """Draw one window for each image.

    Each has a uniform share of the area, and a log-uniform aspect ratio from
    3/4 to 4/3. The first of ten draws that fits into the image is taken, else
    the largest central window whose aspect ratio is in the range.

    Args:
        random: Where the draws come from.
        batch: Number of images B.
        height: H of an image.
        width: W of an image.
        scale: Smallest and largest share of the area.

    Returns:
        int `(B, 4)`: first row, rows, first column, columns.
    """
    area = height * width * random.uniform(*scale, (batch, TRIES))
    aspect = np.exp(random.uniform(*np.log(ASPECTS), (batch, TRIES)))
    sizes = np.rint(np.sqrt([area / aspect, area * aspect])).astype(int)
    limits = np.array([height, width])[:, None, None]
    fits = ((sizes > 0) & (sizes <= limits)).all(0)  # (B, TRIES)
    sizes = sizes[:, np.arange(batch), fits.argmax(1)]  # (2, B)
    starts = random.random((2, batch))
    aspect = np.clip(width / height, *ASPECTS)
    whole = (
        min(height, round(width / aspect)),
        min(width, round(height * aspect)),
    )
    central = ~fits.any(1)
    sizes[:, central] = np.array(whole)[:, None]
    room = limits[..., 0] - sizes
    starts = (starts * (room + 1)).astype(int)
    starts[:, central] = room[:, central] // 2
    return np.stack([starts[0], sizes[0], starts[1], sizes[1]], axis=1)


def resample(x: np.ndarray, rows: np.ndarray, columns: np.ndarray):
    """Mix rows and columns of images by a matrix for each.

    Args:
        x: float `(B, H, W, channels)`.
        rows: `(B, H, H)`, from source to result.
        columns: `(B, W, W)`, from source to result.
    """
    batch, height, width, channels = x.shape
    x = rows @ x.reshape(batch, height, width * channels)
    x = x.reshape(batch, height, width, channels).swapaxes(1, 2)
    x = columns @ np.ascontiguousarray(x).reshape(batch, width, -1)
    x = x.reshape(batch, width, height, channels).swapaxes(1, 2)
    return np.ascontiguousarray(x)


def _bilinear(start, length, size):
    """Matrices `(B, size, size)` that stretch windows to the whole."""
    ahead = (np.arange(size) + 0.5) * (length / size)[:, None] - 0.5
    place = start[:, None] + np.clip(ahead, 0, (length - 1)[:, None])
    distance = np.abs(place[..., None] - np.arange(size))
    return np.maximum(1 - distance, 0).astype("float32")


def _gaussian(sigma, size):
    """Matrices `(B, size, size)` that blur; rows sum to 1 at edges, too."""
    apart = np.arange(size)[:, None] - np.arange(size)
    weights = np.exp(-0.5 * (apart / sigma[:, None, None]) ** 2)
    return (weights / weights.sum(-1, keepdims=True)).astype("float32")


def _jitter(x, random, strengths, chosen):
    """Brightness, contrast, saturation and hue, in an order for each image."""
    batch = len(x)
    factors = random.uniform(-1, 1, (4, batch)).astype("float32")
    factors *= np.array(strengths, "float32")[:, None]
    order = random.random((4, batch)).argsort(0)
    steps = (brightness, contrast, saturation, shift_hue)
    steps = steps[: 4 if x.shape[-1] == 3 else 2]
    for turn in range(4):
        for number, step in enumerate(steps):
            rows = chosen & (order[turn] == number)
            if strengths[number] and rows.any():
                factor = factors[number, rows, None, None, None]
                x[rows] = step(x[rows], factor)
    return x


def grey(x: np.ndarray) -> np.ndarray:
    """Luma in every channel; single channels as they are."""
    if x.shape[-1] != 3:
        return x
    return np.broadcast_to((x @ GREY)[..., None], x.shape)


def brightness(x: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Multiply by `1 + change`."""
    return np.clip(x * (1 + change), 0, 255)


def contrast(x: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Multiply the distance from the image's mean luma by `1 + change`."""
    mean = grey(x).mean((1, 2, 3), keepdims=True)
    return np.clip(mean + (x - mean) * (1 + change), 0, 255)


def saturation(x: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Multiply the distance from the pixel's luma by `1 + change`."""
    luma = grey(x)
    return np.clip(luma + (x - luma) * (1 + change), 0, 255)


def shift_hue(x: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Turn the hue by a share of the circle; value and saturation stay."""
    red, green, blue = (np.ascontiguousarray(x[..., i]) for i in range(3))
    value = np.maximum(np.maximum(red, green), blue)
    chroma = value - np.minimum(np.minimum(red, green), blue)
    safe = np.where(chroma > 0, chroma, 1)
    hue = np.where(
        value == red,
        (green - blue) / safe,
        np.where(
            value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe
        ),
    )
    hue += 6 * turn[..., 0]  # sixths of the circle
    result = np.empty_like(x)
    for channel, opposite in enumerate((3, 5, 1)):  # cyan, magenta, yellow
        apart = hue - opposite
        apart = np.abs(apart - 6 * np.rint(apart / 6))  # 0..3
        result[..., channel] = value - chroma * np.clip(2 - apart, 0, 1)
    return result
