"""What happens to training images: numbers, and what is drawn from them."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_lt.checking import checked
from keras_lt.data.transforms.distortions import distort_drawn, draw_distortions
from keras_lt.data.transforms.moves import (
    draw_moves,
    move,
    pick_with,
    source_pixels,
)
from keras_lt.data.transforms.policy import Policy
from keras_lt.data.transforms.transform import Transform
from keras_lt.data.transforms.windows import least_share

DISTORTIONS = {"window", "jittered", "grey", "blurred"}


@checked
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
        growing: Epochs over which the smallest share grows to 1, see
            `windows.least_share`, of windows that are squares; 0 for none.
        jitter: Strengths of random changes of brightness, contrast,
            saturation (factors from 1 - strength to 1 + strength) and hue
            (turns of the circle, up to 0.5).
        jitter_share: Probability of the jitter.
        grey_share: Probability that an image loses its colours.
        blur_share: Probability of a Gaussian blur.
        blur_sigma: Smallest and largest standard deviation of it, in pixels.
        policies: What then happens to single images, such as `AutoAugment`.
        layers: Functions from images `(B, H, W, channels)` in 0..255 to images
            of the same kind, such as preprocessing layers of Keras or
            KerasCV; called with `training=True` after all of this. They
            draw from their own random state: new layers and a new loader
            with the same seeds give the same images again, except that
            tf.data runs `RandAugment` of KerasCV (not of Keras) in parallel.
        transforms: What happens to the batch at last, such as `Mixup`.

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
    growing: int = 0
    jitter: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    jitter_share: float = 1.0
    grey_share: float = 0.0
    blur_share: float = 0.0
    blur_sigma: tuple[float, float] = (0.1, 2.0)
    policies: tuple[Policy, ...] = ()
    layers: tuple[Callable, ...] = ()
    transforms: tuple[Transform, ...] = ()

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
        if self.growing and not (self.growing > 0 and high == 1):
            raise ValueError(
                "`growing` must be >= 0, of a `crop_scale` up to 1, got "
                f"{self.growing} of {self.crop_scale}"
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

    @property
    def num_classes(self) -> int | None:
        """C, if a transform makes labels shares of C classes."""
        known = [transform.num_classes for transform in self.transforms]
        return next(filter(None, known), None)

    def draw(
        self,
        random: np.random.Generator,
        batch: int,
        *shape: int | None,
        epoch: int = 0,
    ) -> dict[str, np.ndarray]:
        """Draw what is random about crops, flips, turns and colours.

        Args:
            random: Where the draws come from.
            batch: Number of images B.
            *shape: Height, width and channels of an image; None for height
                and width where each image has its own.
            epoch: From 0, of the stage.

        Returns:
            A few numbers for each image, see `draw_moves` and
            `draw_distortions`.
        """
        draws = {}
        if self.moves_pixels:
            moves = ("pad", "flip", "rotation")
            chosen = {name: getattr(self, name) for name in moves}
            draws |= draw_moves(random, batch, **chosen)
        if self.distorts:
            height, width, channels = shape
            assert channels is not None, "all images have the same depth"
            draws |= draw_distortions(
                random, self._of(epoch), batch, height, width, channels
            )
        return draws

    def _of(self, epoch):
        """What it is in an epoch, if it differs between them."""
        if not (self.growing and self.crop_scale):
            return self
        low = least_share(epoch, self.growing, self.crop_scale[0])
        return dataclasses.replace(self, crop_scale=(low, 1.0))

    def draw_policies(
        self,
        random: np.random.Generator,
        shape: tuple[int, int, int],
        repeats: np.ndarray,
    ) -> dict[str, Any]:
        """Draw what is random about the policies, see `Policy.draw`.

        Returns:
            `policies`, what each of them drew; nothing if there are none.
        """
        drawn = [p.draw(random, shape, repeats) for p in self.policies]
        return {"policies": tuple(drawn)} if drawn else {}

    def apply(self, images: Any, draws: dict[str, Any], ops: Any = np) -> Any:
        """Give images what was drawn for them.

        Args:
            images: uint8 `(B, H, W, channels)`.
            draws: Of `draw` and `draw_policies`.
            ops: numpy, or `keras.ops` to compute on the device.

        Returns:
            uint8 `(B, H, W, channels)`. The moves are the same on every
            device; the rest is, up to the rounding of float32.
        """
        if ops is np and self.flip and not self.pad and not self.rotation:
            mirrored = draws["mirrored"]  # much faster than pixel by pixel
            images = images.copy()
            images[mirrored] = images[mirrored, :, ::-1]
        elif self.moves_pixels and ops is np:
            images = move(images, draws)
        elif self.moves_pixels:
            height, width = images.shape[1:3]
            source = source_pixels(draws, height, width, ops)
            images = pick_with(ops, images, source)
        if DISTORTIONS & draws.keys():
            images = distort_drawn(images, draws, self, ops)
        drawn = draws.get("policies", ())
        for policy, own in zip(self.policies, drawn, strict=True):
            images = policy.apply(images, own, ops)
        return images

    def transform(
        self, images: Any, labels: Any, draws: Sequence[dict], ops: Any = np
    ) -> tuple[Any, Any]:
        """Call the transforms in turn; see `Transform.apply`.

        Args:
            images: `(B, H, W, channels)`.
            labels: Class ids `(B,)`.
            draws: What each transform drew.
            ops: numpy or `keras.ops`.
        """
        for transform, drawn in zip(self.transforms, draws, strict=True):
            images, labels = transform.apply(images, labels, drawn, ops)
        return images, labels
