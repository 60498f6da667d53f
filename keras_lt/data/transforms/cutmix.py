"""CutMix: images of a batch with a part of another one."""

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
class CutMix:
    """Paste a box of another image of the batch into each image.

    The box is one for the batch. Its sides are sqrt(1 - s) of those of the
    image, s ~ Beta(alpha, alpha), cut off where they reach beyond it; a label
    keeps the share of the pixels that stay. Partners are a permutation of the
    batch; under tf.distribute that is the part of a replica.

    Args:
        alpha: > 0; at 1 all shares are equally likely.
        num_classes: C; labels become float32 `(B, C)`.
        probability: Of a batch to be mixed at all.

    Raises:
        ValueError: if a number is out of range.

    Example:
        >>> from keras_lt.data import Augment
        >>> augment = Augment(pad=4, flip=True, transforms=(CutMix(1.0, 10),))

    Source: Yun et al., ICCV 2019; `clovaai/CutMix-PyTorch:train.py`.
    Differs from the released code: nothing known.
    """

    alpha: float
    num_classes: int
    probability: float = 1.0

    def __post_init__(self):
        """Check the numbers."""
        check_mixing(self.alpha, self.num_classes)
        if not 0 <= self.probability <= 1:
            raise ValueError(
                f"`probability` must be in [0, 1], got {self.probability}"
            )

    def draw(
        self,
        random: np.random.Generator,
        batch: int,
        shape: tuple[int, int, int],
    ) -> dict[str, np.ndarray]:
        """Draw a box for all and partners.

        Returns:
            `box` int32 `(B, 4)`: first row, row after the last, and columns
            likewise; `partner` int32 `(B,)`.
        """
        share = random.beta(self.alpha, self.alpha)
        sides = shape[:2]
        centre = [int(random.integers(side)) for side in sides]
        box = cut_box(share, centre, sides)
        if random.random() >= self.probability:
            box = [0, 0, 0, 0]
        return {
            "box": np.tile(np.array(box, "int32"), (batch, 1)),
            "partner": random.permutation(batch).astype("int32"),
        }

    def apply(
        self, images: Any, labels: Any, draws: dict[str, Any], ops: Any
    ) -> tuple[Any, Any]:
        """Paste; see `Transform`."""
        height, width = images.shape[1:3]
        top, bottom, left, right = (draws["box"][:, i] for i in range(4))
        inside = _between(top, bottom, height, ops)[:, :, None]
        inside = inside & _between(left, right, width, ops)[:, None]
        others = ops.take(images, draws["partner"], axis=0)
        images = ops.where(inside[..., None], others, images)
        labels = label_shares(labels, self.num_classes, ops)
        area = ops.array((bottom - top) * (right - left), dtype="float32")
        share = 1 - area / (height * width)
        return images, blended(labels, share, draws["partner"], ops)


def cut_box(
    share: float, centre: list[int], sides: tuple[int, ...]
) -> list[int]:
    """Bounds of a box that leaves about a share of the pixels.

    Args:
        share: Of pixels outside of a box that fits.
        centre: Row and column.
        sides: Height and width of the image.

    Returns:
        First row, row after the last, and columns likewise.

    Example:
        >>> cut_box(0.75, [16, 10], (32, 32))
        [8, 24, 2, 18]
    """
    box = []
    for middle, side in zip(centre, sides, strict=True):
        half = int(side * np.sqrt(1 - share)) // 2
        box += [max(middle - half, 0), min(middle + half, side)]
    return box


def _between(first, last, side, ops):
    """Which rows or columns lie in the box, `(B, side)`."""
    numbers = ops.arange(side, dtype="int32")
    return (numbers >= first[:, None]) & (numbers < last[:, None])
