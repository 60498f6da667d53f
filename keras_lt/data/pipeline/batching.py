"""How the images of an epoch become batches."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_lt.checking import checked
from keras_lt.data.transforms.transform import Transform
from keras_lt.samplers import InstanceBalanced


@checked
@dataclasses.dataclass(frozen=True, kw_only=True)
class Batching:
    """How the images of an epoch become batches.

    Args:
        sampler: Function `(labels, seed, epoch) -> indices`, see `samplers`.
        batch_size: Images a step.
        drop_remainder: Whether to leave out an epoch's last partial batch.
        two_views: Whether a batch holds two views of each image, two
            augmentations of the same pixels, and its labels as inputs.
        transforms: What happens to whole batches after the augmentation of a
            `Loader`, with its own `transforms`.
    """

    sampler: Callable[[Any, int, int], np.ndarray] = InstanceBalanced()
    batch_size: int = 128
    drop_remainder: bool = False
    two_views: bool = False
    transforms: tuple[Transform, ...] = ()
