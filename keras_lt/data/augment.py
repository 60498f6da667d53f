"""Random crops and flips as index arithmetic, the same with and without TF.

A pad-crop-flip is a choice of rows and columns. They are drawn with numpy
from the seed; numpy or TensorFlow then picks the pixels, so both give the
same images.
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
        layers: Functions from images `(B, H, W, channels)` in 0..255 to images
            of the same kind, such as preprocessing layers of Keras or
            KerasCV; called with `training=True` after crop and flip. They
            draw from their own random state: new layers and a new loader
            with the same seeds give the same images again, except that
            tf.data runs `RandAugment` of KerasCV (not of Keras) in parallel.

    Raises:
        ValueError: if `pad` is negative.

    Source: He et al., CVPR 2016, section 4.2 (pad 4, crop, flip).
    """

    pad: int = 0
    flip: bool = False
    layers: tuple[Callable, ...] = ()

    def __post_init__(self):
        """Check the padding."""
        if self.pad < 0:
            raise ValueError(f"`pad` must be >= 0, got {self.pad}")

    @property
    def moves_pixels(self) -> bool:
        """Whether there is a crop or a flip at all."""
        return bool(self.pad or self.flip)

    def draw(
        self, random: np.random.Generator, batch: int, height: int, width: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows `(B, H)` and columns `(B, W)` of the padded images."""
        offsets = random.integers(0, 2 * self.pad + 1, (2, batch), "int32")
        mirrored = random.random(batch) < 0.5 * self.flip
        rows = offsets[0][:, None] + np.arange(height, dtype="int32")
        columns = offsets[1][:, None] + np.arange(width, dtype="int32")
        columns[mirrored] = columns[mirrored, ::-1]
        return rows, columns


def pick_pixels(images, rows, columns, pad: int):
    """Pad numpy images `(B, H, W, channels)` and pick rows and columns."""
    sides = [(0, 0), (pad, pad), (pad, pad), (0, 0)]
    padded = np.pad(images, sides) if pad else images
    image = np.arange(len(images))[:, None, None]
    return padded[image, rows[:, :, None], columns[:, None, :]]


def pick_pixels_tf(images, rows, columns, pad: int):
    """Do the same with TensorFlow tensors."""
    import tensorflow as tf

    padded = tf.pad(images, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
    padded = tf.gather(padded, rows, axis=1, batch_dims=1)
    return tf.gather(padded, columns, axis=2, batch_dims=1)
