"""What may happen to each image after crop and flip."""

from typing import Any, Protocol

import numpy as np


class Policy(Protocol):
    """A change of single images, which leaves their labels alone.

    All that is random about it is drawn with numpy for each image, by the seed
    and the number of the batch, so that each kind of loader, on the host or on
    the device, does the same, and so do replicas that share a batch.
    """

    def check(self, shape: tuple[int, int, int]) -> None:
        """Raise ValueError if images cannot be changed.

        Args:
            shape: Height, width and channels of an image.
        """

    def draw(
        self,
        random: np.random.Generator,
        shape: tuple[int, int, int],
        repeats: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Draw what is random about B images.

        Args:
            random: Where the draws come from.
            shape: Height, width and channels of an image.
            repeats: How often each image came before in the same epoch,
                `(B,)`: more than 0 only with a sampler that repeats images.

        Returns:
            Arrays `(B, ...)` by name.
        """

    def apply(self, images: Any, draws: dict[str, Any], ops: Any) -> Any:
        """Change images.

        Args:
            images: uint8 `(B, H, W, channels)`.
            draws: See `draw`.
            ops: numpy, or `keras.ops` to compute on the device.

        Returns:
            uint8 `(B, H, W, channels)`.
        """
