"""Random crops, flips and turns as index arithmetic, with and without TF.

They are a choice of one source pixel for each pixel, drawn with numpy from the
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
        layers: Functions from images `(B, H, W, channels)` in 0..255 to images
            of the same kind, such as preprocessing layers of Keras or
            KerasCV; called with `training=True` after crop and flip. They
            draw from their own random state: new layers and a new loader
            with the same seeds give the same images again, except that
            tf.data runs `RandAugment` of KerasCV (not of Keras) in parallel.

    Raises:
        ValueError: if `pad` is negative, or `rotation` not in [0, 180].

    Source: He et al., CVPR 2016, section 4.2 (pad 4, crop, flip); 15 degrees
        in `frank-xwang/RIDE-LongTailRecognition`.
    """

    pad: int = 0
    flip: bool = False
    rotation: float = 0.0
    layers: tuple[Callable, ...] = ()

    def __post_init__(self):
        """Check the numbers."""
        if self.pad < 0:
            raise ValueError(f"`pad` must be >= 0, got {self.pad}")
        if not 0 <= self.rotation <= 180:
            raise ValueError(
                f"`rotation` must be in [0, 180], got {self.rotation}"
            )

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
