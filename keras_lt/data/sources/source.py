"""What `data.load` knows of a data set, and what it returns of one."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np

from keras_lt.data.sources.image_files import ImageFiles
from keras_lt.data.transforms.augment import Augment
from keras_lt.image_reader import MAX_PIXELS

Images = np.ndarray | ImageFiles  # `(N, H, W, channels)`
ImagesAndLabels = tuple[Images, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What is asked of a source: see the arguments of `data.load`."""

    imbalance_ratio: float | None = None
    profile: str = "exponential"
    subset: str = "ldam"
    data_dir: str | None = None
    validation_per_class: int = 0
    validation_share: float = 0.0
    test_per_class: int | None = None
    test_share: float | None = None
    small_classes: str = "error"
    image_size: int = 224
    skip_unreadable: bool = False
    max_pixels: int = MAX_PIXELS
    allow_outside: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Splits:
    """A long-tailed training split and others, in memory or on disk.

    Args:
        train: Images, a uint8 array `(N, H, W, channels)` or `ImageFiles`
            that look like one, and labels int64 `(N,)`.
        validation: The same, disjoint from both; None if there is none.
        test: The same.
        class_names: Length C.
        split_sha256: Hash that names the training images.
        content_sha256: Hash of their pixels and labels; None of files.
        indices: Positions of the training images in the full training set, if
            they were cut out of one.
        ignored: Files beside images on disk, none by their ending.
    """

    train: ImagesAndLabels
    validation: ImagesAndLabels | None
    test: ImagesAndLabels
    class_names: tuple[str, ...]
    split_sha256: str
    indices: np.ndarray | None = None
    ignored: tuple[str, ...] = ()
    content_sha256: str | None = None

    @property
    def present(self) -> list[ImagesAndLabels]:
        """The splits that there are: training, validation if any, test."""
        return [*filter(None, (self.train, self.validation, self.test))]


class Content(Protocol):
    """What a source holds: `Arrays` in memory, or a `Listing` of files."""

    def splits(self, options: Options) -> Splits:
        """Make the splits that are asked for; DataError if they cannot be."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """A data set that `data.load` knows.

    Args:
        read: Function from `Options` to the `Content`.
        family: Name of the hyperparameter presets that suit it.
        pixel_mean: Mean of each channel, on the scale 0..1.
        pixel_std: Standard deviation of each channel, on that scale.
        augment: Published augmentation.
        imbalance_ratio: To which a balanced data set is cut where nothing
            else is asked for; None: the tail is that of the images.
        splits_test: Whether it has no test split of its own, so that
            `test_per_class` decides.
        groups: In which of its classes results are told by: `"shots"`, as
            published, or `"thirds"` of the images, see `groups.class_groups`.
    """

    read: Callable[[Options], Content]
    family: str
    pixel_mean: tuple[float, ...]
    pixel_std: tuple[float, ...]
    augment: Augment
    imbalance_ratio: float | None = None
    splits_test: bool = False
    groups: str = "shots"
