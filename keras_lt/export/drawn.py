"""Images to compare two models on where there are no others."""

from collections.abc import Sequence

import numpy as np

NUMBER, WAVES, HIGHEST = 64, 12, 4.0  # cycles over an image


def draw_images(shape: Sequence[int], *, seed: int = 0) -> np.ndarray:
    """Draw images that are smooth, bright, dark, flat and rough, as photos are.

    Each is a sum of plane waves of few cycles in each channel, at a brightness
    and contrast of its own; every eighth one is noise.

    Args:
        shape: `(H, W, channels)`.
        seed: Equal ones draw equal images.

    Returns:
        uint8 `(64, H, W, channels)`.
    """
    random = np.random.default_rng(seed)
    height, width, channels = shape
    size = (NUMBER, 1, 1, channels, WAVES)
    down, across = random.uniform(-HIGHEST, HIGHEST, (2, *size))
    rows = np.linspace(0, 1, height)[:, None, None, None]
    columns = np.linspace(0, 1, width)[:, None, None]
    phase = down * rows + across * columns + random.random(size)
    waves = np.cos(2 * np.pi * phase).mean(-1)  # (64, H, W, channels)
    brightness, contrast = random.uniform(0, 255, (2, NUMBER, 1, 1, 1))
    images = brightness + 2 * contrast * waves
    images[::8] = random.uniform(0, 255, images[::8].shape)
    return np.clip(images, 0, 255).astype("uint8")
