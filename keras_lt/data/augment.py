"""What happens to training images; crops, flips and turns as indices.

These are a choice of one source pixel for each pixel, drawn with numpy from the
seed; numpy or TensorFlow then picks the pixels, so both give the same images.
"""

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Augment:
    """What happens to a batch of training images.

    Args:
        pad: Zero pixels added on each side before a random crop of the
            original size.
        flip: Whether to mirror half of the images left to right.
        rotation: Largest angle in degrees by which an image is then turned
            around its centre, either way; nearest neighbour, zeros outside.
        crop_scale: Smallest and largest share of the area of a random window
            that is then resized to the whole, see `distort`; None for none.
        jitter: Strengths of random changes of brightness, contrast,
            saturation (factors from 1 - strength to 1 + strength) and hue
            (turns of the circle, up to 0.5).
        jitter_share: Probability of the jitter.
        grey_share: Probability that an image loses its colours.
        blur_share: Probability of a Gaussian blur.
        blur_sigma: Smallest and largest standard deviation of it, in pixels.
        layers: Functions from images `(B, H, W, channels)` in 0..255 to images
            of the same kind, such as preprocessing layers of Keras or
            KerasCV; called with `training=True` after crop and flip. They
            draw from their own random state: new layers and a new loader
            with the same seeds give the same images again, except that
            tf.data runs `RandAugment` of KerasCV (not of Keras) in parallel.

    Raises:
        ValueError: if a number is out of range.

    Source: He et al., CVPR 2016, section 4.2 (pad 4, crop, flip); 15 degrees
        in `frank-xwang/RIDE-LongTailRecognition`; Chen et al., 2020 (MoCo v2:
        crop from 0.2, jitter (0.4, 0.4, 0.4, 0.1) with 0.8, grey 0.2, blur).
    """

    pad: int = 0
    flip: bool = False
    rotation: float = 0.0
    crop_scale: tuple[float, float] | None = None
    jitter: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    jitter_share: float = 1.0
    grey_share: float = 0.0
    blur_share: float = 0.0
    blur_sigma: tuple[float, float] = (0.1, 2.0)
    layers: tuple[Callable, ...] = ()

    def __post_init__(self):
        """Check the numbers."""
        if self.pad < 0:
            raise ValueError(f"`pad` must be >= 0, got {self.pad}")
        if not 0 <= self.rotation <= 180:
            raise ValueError(
                f"`rotation` must be in [0, 180], got {self.rotation}"
            )
        low, high = self.crop_scale or (1, 1)
        if not 0 < low <= high <= 1:
            raise ValueError(
                "`crop_scale` must be two shares of the area, 0 < low <= high "
                f"<= 1, got {self.crop_scale}"
            )
        limits = (1, 1, 1, 0.5)
        if not all(
            0 <= s <= m for s, m in zip(self.jitter, limits, strict=True)
        ):
            raise ValueError(
                f"`jitter` must be four strengths from 0 to {limits}, got "
                f"{self.jitter}"
            )
        for name in ("jitter_share", "grey_share", "blur_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"`{name}` must be in [0, 1], got {getattr(self, name)}"
                )
        if not 0 < self.blur_sigma[0] <= self.blur_sigma[1]:
            raise ValueError(
                f"`blur_sigma` must be 0 < low <= high, got {self.blur_sigma}"
            )

    @property
    def distorts(self) -> bool:
        """Whether there is more than crop, flip and turn: see `distort`."""
        shares = self.grey_share or self.blur_share or any(self.jitter)
        return bool(shares or self.crop_scale)

    @property
    def moves_pixels(self) -> bool:
        """Whether there is a crop, a flip or a turn at all."""
        return bool(self.pad or self.flip or self.rotation)

    def draw(
        self, random: np.random.Generator, batch: int, height: int, width: int
    ) -> np.ndarray:
        """Draw the source of every pixel.

        Returns:
            int32 `(B, H * W)`: positions in the flattened image; H * W stands
            for a zero pixel.
        """
        offsets = random.integers(0, 2 * self.pad + 1, (2, batch), "int32")
        mirrored = random.random(batch) < 0.5 * self.flip
        rows = np.arange(height, dtype="int32")[None, :, None]
        columns = np.arange(width, dtype="int32")[None, None]
        inside = True
        if self.rotation:
            angles = random.uniform(-self.rotation, self.rotation, batch)
            rows, columns = turn(angles, height, width)
            inside = _inside(rows, height) & _inside(columns, width)
        flipped = width - 1 - columns
        columns = np.where(mirrored[:, None, None], flipped, columns)
        rows = rows + (offsets[0] - self.pad)[:, None, None]
        columns = columns + (offsets[1] - self.pad)[:, None, None]
        inside = inside & _inside(rows, height) & _inside(columns, width)
        source = np.where(inside, rows * width + columns, height * width)
        return source.reshape(batch, -1).astype("int32", copy=False)


def _inside(index, size):
    return (index >= 0) & (index < size)


def turn(angles, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns that images show when they are turned.

    Args:
        angles: In degrees, counter-clockwise, `(B,)`.
        height: Rows H of an image.
        width: Columns W of an image.

    Returns:
        int32 rows and columns `(B, H, W)`, in part outside of the image.
    """
    radians = np.deg2rad(angles)[:, None, None]
    cos, sin = np.cos(radians), np.sin(radians)
    middle = (height - 1) / 2, (width - 1) / 2
    y = np.arange(height)[None, :, None] - middle[0]
    x = np.arange(width)[None, None] - middle[1]
    rows = np.rint(cos * y + sin * x + middle[0])
    columns = np.rint(cos * x - sin * y + middle[1])
    return rows.astype("int32"), columns.astype("int32")


def pick_pixels(images: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Pick pixels of numpy images `(B, H, W, channels)`.

    Args:
        images: `(B, H, W, channels)`.
        source: `(B, H * W)`, see `Augment.draw`.
    """
    flat = images.reshape(len(images), -1, images.shape[-1])
    flat = np.pad(flat, [(0, 0), (0, 1), (0, 0)])  # the zero pixel
    return flat[np.arange(len(flat))[:, None], source].reshape(images.shape)


def pick_pixels_tf(images, source):
    """Do the same with TensorFlow tensors."""
    import tensorflow as tf

    batch, channels = tf.shape(images)[0], images.shape[-1]
    flat = tf.reshape(images, (batch, -1, channels))
    flat = tf.pad(flat, [[0, 0], [0, 1], [0, 0]])
    return tf.reshape(tf.gather(flat, source, batch_dims=1), tf.shape(images))
