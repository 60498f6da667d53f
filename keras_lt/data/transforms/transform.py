"""What may happen to a batch after the published crop and flip."""

from typing import Any, Protocol

import numpy as np


class Transform(Protocol):
    """A change of whole batches, which may mix images and their labels.

    All that is random about it is drawn with numpy, by the seed and the
    number of the batch, so that each kind of loader, on the host or on the
    device, does the same.
    """

    @property
    def num_classes(self) -> int | None:
        """C, if labels become shares of the classes, float32 `(B, C)`.

        Losses must take these then, as `losses.SoftmaxCrossentropy` does. None
        if it leaves labels alone.
        """

    def draw(
        self,
        random: np.random.Generator,
        batch: int,
        shape: tuple[int, int, int],
    ) -> dict[str, np.ndarray]:
        """Draw what is random about a batch.

        Args:
            random: Where the draws come from.
            batch: Number of images B.
            shape: Height, width and channels of an image.

        Returns:
            Arrays by name, in numbers that do not depend on the images.
        """

    def apply(
        self, images: Any, labels: Any, draws: dict[str, Any], ops: Any
    ) -> tuple[Any, Any]:
        """Change a batch.

        Args:
            images: `(B, H, W, channels)` in 0..255: uint8, or float32 after
                layers.
            labels: Class ids `(B,)`, or shares of the classes `(B, C)` after
                another transform.
            draws: See `draw`.
            ops: numpy, or `keras.ops` to compute on the device.

        Returns:
            Images of the same shape and dtype, and labels.
        """


def label_shares(labels: Any, num_classes: int, ops: Any) -> Any:
    """Labels as shares of the classes.

    Args:
        labels: Class ids `(B,)`; or shares, which stay as they are.
        num_classes: C.
        ops: numpy or `keras.ops`.

    Returns:
        float32 `(B, C)`.

    Example:
        >>> label_shares(np.array([1, 0]), 3, np).tolist()
        [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    if len(labels.shape) == 2:
        return labels
    same = labels[:, None] == ops.arange(num_classes, dtype=labels.dtype)
    return ops.where(same, ops.ones((), "float32"), ops.zeros((), "float32"))


def check_mixing(alpha: float, num_classes: int) -> None:
    """Check the numbers of a transform that mixes images in pairs.

    Raises:
        ValueError: unless `alpha` > 0 and `num_classes` >= 2.
    """
    if not alpha > 0:
        raise ValueError(f"`alpha` must be > 0, got {alpha}")
    if num_classes < 2:
        raise ValueError(f"`num_classes` must be >= 2, got {num_classes}")


def blended(values: Any, share: Any, partner: Any, ops: Any) -> Any:
    """`share * x + (1 - share) * x[partner]`.

    Args:
        values: x, float32 `(B, ...)`.
        share: `(B,)`.
        partner: Numbers in the batch `(B,)`.
        ops: numpy or `keras.ops`.
    """
    others = ops.take(values, partner, axis=0)
    share = ops.reshape(share, (-1, *[1] * (len(values.shape) - 1)))
    return share * values + (1 - share) * others
