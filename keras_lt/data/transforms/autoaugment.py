"""AutoAugment: pairs of operations that a search on CIFAR-10 found."""

import dataclasses
from typing import Any

import numpy as np

from keras_lt.checking import checked
from keras_lt.data.transforms.operations import (
    NUMBER,
    SIGNED,
    numbered,
    operate,
    prepare,
)

# Operation, probability and strength from 0 to 9, of the first and second one.
CIFAR = (
    (("invert", 0.1, 7), ("contrast", 0.2, 6)),
    (("rotate", 0.7, 2), ("translate_x", 0.3, 9)),
    (("sharpness", 0.8, 1), ("sharpness", 0.9, 3)),
    (("shear_y", 0.5, 8), ("translate_y", 0.7, 9)),
    (("autocontrast", 0.5, 8), ("equalize", 0.9, 2)),
    (("shear_y", 0.2, 7), ("posterize", 0.3, 7)),
    (("color", 0.4, 3), ("brightness", 0.6, 7)),
    (("sharpness", 0.3, 9), ("brightness", 0.7, 9)),
    (("equalize", 0.6, 5), ("equalize", 0.5, 1)),
    (("contrast", 0.6, 7), ("sharpness", 0.6, 5)),
    (("color", 0.7, 7), ("translate_x", 0.5, 8)),
    (("equalize", 0.3, 7), ("autocontrast", 0.4, 8)),
    (("translate_y", 0.4, 3), ("sharpness", 0.2, 6)),
    (("brightness", 0.9, 6), ("color", 0.2, 8)),
    (("solarize", 0.5, 2), ("invert", 0.0, 3)),
    (("equalize", 0.2, 0), ("autocontrast", 0.6, 0)),
    (("equalize", 0.2, 8), ("equalize", 0.6, 4)),
    (("color", 0.9, 9), ("equalize", 0.6, 6)),
    (("autocontrast", 0.8, 4), ("solarize", 0.2, 8)),
    (("brightness", 0.1, 3), ("color", 0.7, 0)),
    (("solarize", 0.4, 5), ("autocontrast", 0.9, 3)),
    (("translate_y", 0.9, 9), ("translate_y", 0.7, 9)),
    (("autocontrast", 0.9, 2), ("solarize", 0.8, 3)),
    (("equalize", 0.8, 8), ("invert", 0.1, 3)),
    (("translate_y", 0.7, 9), ("autocontrast", 0.9, 1)),
)
OPERATION = numbered([[name for name, *_ in pair] for pair in CIFAR])
PROBABILITY = np.array([[each[1] for each in pair] for pair in CIFAR])
LEVEL = np.array([[each[2] for each in pair] for pair in CIFAR]) / 9


@checked
@dataclasses.dataclass(frozen=True)
class AutoAugment:
    """Do one of 25 pairs of operations to each image, as found on CIFAR-10.

    Each of the two happens with its own probability. Sizes of shears, shifts
    and changes of colour, contrast, brightness and sharpness have a random
    sign; turns are always counter-clockwise, as in the released code.

    Args:
        growth: How many more chances an image gives each operation for each
            time that it came before in the same epoch: probabilities p become
            `1 - (1 - p)^(1 + growth * times)`. [ours]

    Raises:
        ValueError: if `growth` is below 0.

    Example:
        >>> from keras_lt.data import Augment, Cutout
        >>> augment = Augment(
        ...     pad=4, flip=True, policies=(AutoAugment(), Cutout(16))
        ... )

    Source: Cubuk et al., CVPR 2019;
        `jiawei-ren/BalancedMetaSoftmax-Classification:data/autoaugment.py`.
    Differs from the released code: nothing known; pixels are those of Pillow.
    """

    growth: float = 0.0

    def __post_init__(self):
        """Check the number."""
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
        """Draw two operations for each image, see `operations.prepare`."""
        batch = len(repeats)
        pair = random.integers(len(CIFAR), size=batch)
        chances = 1 + self.growth * repeats[:, None]
        probability = 1 - (1 - PROBABILITY[pair]) ** chances  # (B, 2)
        happens = random.random((2, batch)).T < probability
        negative = random.random((2, batch)).T < 0.5
        operation, level = OPERATION[pair], LEVEL[pair]
        signed = np.isin(operation, numbered(SIGNED))
        signed &= operation != NUMBER["rotate"]
        level = np.where(signed & negative, -level, level)
        return prepare(np.where(happens, operation, 0), level, shape)

    def apply(self, images: Any, draws: dict[str, Any], ops: Any) -> Any:
        """Do what was drawn; see `Policy`."""
        return operate(images, draws, ops)
