"""RandAugment: operations of one strength, drawn for each image."""

import dataclasses
from typing import Any

import numpy as np

from keras_lt.checking import checked
from keras_lt.data.transforms.operations import (
    NAMES,
    SIGNED,
    numbered,
    operate,
    prepare,
)

OPERATIONS = numbered([name for name in NAMES if name != "invert"])  # 14
LARGEST = 10


@checked
@dataclasses.dataclass(frozen=True)
class RandAugment:
    """Do some of 14 operations to each image, all of one strength.

    Each of identity, autocontrast, equalize, rotate, solarize, color,
    posterize, contrast, brightness, sharpness, and shears and shifts in both
    directions is as likely, again and again. What has a direction takes a
    random one.

    Args:
        number: Operations N for each image, >= 1.
        magnitude: Their strength M from 0 to 10. At 10: 30 degrees, shears of
            0.3, shifts of 0.45 sides, factors of 1 - 0.9 or 1 + 0.9, 4 bits,
            and all values solarized.
        growth: By how much the strength of an image grows each time that it
            comes again in the same epoch, up to 10. [ours]

    Raises:
        ValueError: if a number is out of range.

    Example:
        >>> from keras_lt.data import Augment
        >>> augment = Augment(
        ...     crop_scale=(0.08, 1.0),
        ...     flip=True,
        ...     policies=(RandAugment(2, 10),),
        ... )

    Source: Cubuk et al., NeurIPS 2020.
    Differs from the released code: sizes are those of AutoAugment at the same
        share of the largest, so that M = 0 changes no colour and no place.
    """

    number: int = 2
    magnitude: float = 10.0
    growth: float = 0.0

    def __post_init__(self):
        """Check the numbers."""
        if not (isinstance(self.number, int) and self.number >= 1):
            raise ValueError(
                f"`number` must be a whole number >= 1, got {self.number}"
            )
        if not 0 <= self.magnitude <= LARGEST:
            raise ValueError(
                f"`magnitude` must be in [0, {LARGEST}], got {self.magnitude}"
            )
        if not self.growth >= 0:
            raise ValueError(f"`growth` must be >= 0, got {self.growth}")

    def check(self, shape: tuple[int, int, int]) -> None:
        """Any image will do."""

    def draw(
        self,
        random: np.random.Generator,
        shape: tuple[int, int, int],
        repeats: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Draw N operations for each image, see `operations.prepare`."""
        size = self.number, len(repeats)
        operation = random.choice(OPERATIONS, size).T  # (B, N)
        negative = random.random(size).T < 0.5
        magnitude = self.magnitude + self.growth * repeats[:, None]
        level = np.minimum(magnitude, LARGEST) / LARGEST
        signed = np.isin(operation, numbered(SIGNED))
        level = np.where(signed & negative, -level, level)
        return prepare(operation, level, shape)

    def apply(self, images: Any, draws: dict[str, Any], ops: Any) -> Any:
        """Do what was drawn; see `Policy`."""
        return operate(images, draws, ops)
