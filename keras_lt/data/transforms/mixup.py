"""Mixup: images and labels of a batch, blended in pairs."""

import dataclasses
from typing import Any

import numpy as np

from keras_lt.checking import checked
from keras_lt.data.transforms.transform import (
    blended,
    check_mixing,
    label_shares,
)


@checked
@dataclasses.dataclass(frozen=True)
class Mixup:
    """Blend each image and its label with those of another one of the batch.

    `share * x + (1 - share) * x[partner]`, for images and labels alike. The
    share ~ Beta(alpha, alpha) is one for the batch, the partners are a
    permutation of it. Under tf.distribute that batch is the part of a replica.

    Args:
        alpha: > 0; the larger, the closer the share is to a half.
        num_classes: C; labels become float32 `(B, C)`.

    Raises:
        ValueError: if a number is out of range.

    Example:
        >>> from keras_lt.data import Augment
        >>> augment = Augment(pad=4, flip=True, transforms=(Mixup(0.2, 10),))

    Source: Zhang et al., ICLR 2018; `facebookresearch/mixup-cifar10:train.py`.
    Differs from the released code: uint8 images stay so, rounded.
    """

    alpha: float
    num_classes: int

    def __post_init__(self):
        """Check the numbers."""
        check_mixing(self.alpha, self.num_classes)

    def draw(
        self,
        random: np.random.Generator,
        batch: int,
        shape: tuple[int, int, int],
    ) -> dict[str, np.ndarray]:
        """Draw `share` `(B,)`, all the same, and `partner` `(B,)`."""
        share = random.beta(self.alpha, self.alpha)
        return {
            "share": np.full(batch, share, "float32"),
            "partner": random.permutation(batch).astype("int32"),
        }

    def apply(
        self, images: Any, labels: Any, draws: dict[str, Any], ops: Any
    ) -> tuple[Any, Any]:
        """Blend; see `Transform`."""
        labels = label_shares(labels, self.num_classes, ops)
        pair = draws["share"], draws["partner"]
        pixels = blended(ops.array(images, dtype="float32"), *pair, ops)
        if "uint8" in str(images.dtype):
            pixels = ops.array(ops.round(pixels), dtype="uint8")
        return pixels, blended(labels, *pair, ops)
