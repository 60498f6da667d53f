"""Cutout: a black square in each image."""

import dataclasses
from typing import Any

import numpy as np

from keras_lt.checking import checked


@checked
@dataclasses.dataclass(frozen=True)
class Cutout:
    """Blacken a square of each image, around a pixel drawn uniformly.

    The square is cut off where it reaches beyond the image, so that it is
    smaller there: 196 of 256 pixels in the mean, at size 16 in 32x32.

    Args:
        size: Side of the square in pixels, even, and at most that of images.

    Raises:
        ValueError: if `size` is no even number >= 2.

    Source: DeVries and Taylor, 2017;
        `jiawei-ren/BalancedMetaSoftmax-Classification:data/autoaugment.py`.
    """

    size: int = 16

    def __post_init__(self):
        """Check the number."""
        whole = isinstance(self.size, int)
        if not (whole and self.size >= 2 and self.size % 2 == 0):
            raise ValueError(
                f"`size` must be an even number >= 2, got {self.size}"
            )

    def check(self, shape: tuple[int, int, int]) -> None:
        """Raise ValueError if the square is larger than images."""
        smallest = min(shape[:2])
        if self.size > smallest:
            raise ValueError(
                f"Cutout: `size` must be at most the {smallest} pixels of a "
                f"side of the images, got {self.size}"
            )

    def draw(
        self,
        random: np.random.Generator,
        shape: tuple[int, int, int],
        repeats: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Draw `centre`, row and column, int32 `(B, 2)`."""
        sides = shape[:2]
        centres = [random.integers(side, size=len(repeats)) for side in sides]
        return {"centre": np.stack(centres, axis=1).astype("int32")}

    def apply(self, images: Any, draws: dict[str, Any], ops: Any) -> Any:
        """Blacken; see `Policy`."""
        height, width, channels = images.shape[1:]
        down, across = (
            self._covered(draws["centre"][:, axis], side, ops)
            for axis, side in enumerate((height, width))
        )
        # Channels beside columns: numpy is slow at short last axes.
        across = ops.repeat(across, channels, axis=1)
        hole = down[:, :, None] & across[:, None]  # (B, H, W * channels)
        flat = ops.reshape(images, (-1, height, width * channels))
        flat = ops.where(hole, ops.zeros_like(flat), flat)
        return ops.reshape(flat, (-1, height, width, channels))

    def _covered(self, centre, side, ops):
        """Which rows or columns the square covers, `(B, side)`."""
        apart = ops.arange(side, dtype="int32") - centre[:, None]
        return (apart >= -self.size // 2) & (apart < self.size // 2)
