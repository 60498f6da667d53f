"""Data sets by name."""

import dataclasses
import difflib
import functools
from collections.abc import Callable

import numpy as np

from keras_lt import stats
from keras_lt.data import cifar, digits, disk
from keras_lt.data.augment import Augment
from keras_lt.data.image_files import ImageFiles
from keras_lt.data.long_tail import (
    PROFILES,
    DataError,
    index_hash,
    long_tail_indices,
)

CIFAR_MEAN = (0.4914, 0.4822, 0.4465)  # of CIFAR-10, published for both
CIFAR_STD = (0.2023, 0.1994, 0.2010)


@dataclasses.dataclass(frozen=True)
class Source:
    """A balanced data set that can be cut to a long tail.

    Args:
        read: Function `(data_dir, precut)` to training images and labels,
            test images and labels, and class names.
        family: Name of the hyperparameter presets that suit it.
        imbalance_ratio: Used where none is asked for.
        largest: Images of class 0; None for as many as every class has.
        pixel_mean: Mean of each channel, on the scale 0..1.
        pixel_std: Standard deviation of each channel, on that scale.
        augment: Published augmentation.
        splits_test: Whether it has no test split of its own: `read` then
            takes `test_per_class`, None for its default.
    """

    read: Callable
    family: str
    imbalance_ratio: float
    largest: int | None
    pixel_mean: tuple[float, ...]
    pixel_std: tuple[float, ...]
    augment: Augment
    splits_test: bool = False


def _cifar(name: str, largest: int) -> Source:
    return Source(
        read=functools.partial(cifar.read, name),
        family="cifar",
        imbalance_ratio=100,
        largest=largest,
        pixel_mean=CIFAR_MEAN,
        pixel_std=CIFAR_STD,
        augment=Augment(pad=4, flip=True),
    )


DATASETS = {
    "digits_lt": Source(
        read=lambda data_dir, *, precut, test_per_class: digits.read(
            test_per_class
        ),
        splits_test=True,
        family="digits",
        imbalance_ratio=50,
        largest=None,
        pixel_mean=(0.3,),
        pixel_std=(0.38,),
        augment=Augment(pad=1, flip=False),
    ),
    "cifar10_lt": _cifar("cifar10", 5000),
    "cifar100_lt": _cifar("cifar100", 500),
}


@dataclasses.dataclass(frozen=True)
class ImageDataset:
    """A long-tailed training split and others, in memory or on disk.

    Args:
        name: Name of the data set.
        train: Images, a uint8 array `(N, H, W, channels)` or `ImageFiles`
            that look like one, and labels int64 `(N,)`.
        validation: The same, disjoint from both; None if there is none.
        test: The same.
        class_names: Length C.
        source: Where it came from, with statistics and augmentation.
        split_sha256: Hash that names the training images.
        indices: Positions of the training images in the full training set, if
            they were cut out of one.
        ignored: Files beside images on disk, none by their ending.
    """

    name: str
    train: tuple[np.ndarray | ImageFiles, np.ndarray]
    validation: tuple[np.ndarray | ImageFiles, np.ndarray] | None
    test: tuple[np.ndarray | ImageFiles, np.ndarray]
    class_names: tuple[str, ...]
    source: Source | disk.DiskSource
    split_sha256: str
    indices: np.ndarray | None = None
    ignored: tuple[str, ...] = ()

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self.train[0].shape[1:]

    @functools.cached_property
    def class_counts(self) -> tuple[int, ...]:
        """Training images per class."""
        return stats.count_classes(self.train[1], len(self.class_names))


def load(
    name: str,
    *,
    imbalance_ratio: float | None = None,
    profile: str = "exponential",
    subset: str = "ldam",
    data_dir: str | None = None,
    validation_per_class: int = 0,
    test_per_class: int | None = None,
    image_size: int = 224,
    skip_unreadable: bool = False,
) -> ImageDataset:
    """Load a data set; a balanced one is cut to a long tail.

    Args:
        name: `"digits_lt"` (needs no download), `"cifar10_lt"`,
            `"cifar100_lt"`; or one that stays on disk: `"imagenet_lt"`,
            `"places_lt"` and `"inaturalist2018"`, whose published lists lie in
            `data_dir` beside the images, and your own `"folder"` (one folder
            a class, see `read_folder`) or `"csv"` (a table, see `read_csv`).
        imbalance_ratio: Largest over smallest class count, >= 1; by default
            50 for the digits and 100 for CIFAR.
        profile: `"exponential"` or `"step"`.
        subset: Which images of a class are kept: `"ldam"`, the seeded shuffle
            of the LDAM release; `"first"`, the first ones, as in weight
            balancing's release; `"precut"`, the first ones of files under
            `data_dir` that hold only a part of the training set.
        data_dir: Folder with the official binary files or archive; CIFAR
            comes from TensorFlow Datasets without it.
        validation_per_class: Images of each class to hold out from training,
            for tuning; see `long_tail_indices`.
        test_per_class: The same for testing, where your own images have no
            test split, by default a third of the smallest class, at most 50;
            or of the digits, by default 70.
        image_size: Pixels of a side of images that stay on disk.
        skip_unreadable: Whether another image of its class stands in for an
            image on disk that cannot be read; else that is an error when it is
            met.

    Returns:
        An `ImageDataset`.

    Raises:
        DataError: if files are missing or damaged, or a class is too small.
        ValueError: if an argument is out of range or unknown.

    Example:
        >>> load("digits_lt").class_counts
        (104, 67, 43, 28, 18, 11, 7, 4, 3, 2)
    """
    for argument, value, known in (
        ("name", name, DATASETS | disk.SOURCES),
        ("profile", profile, PROFILES),
    ):
        if value not in known:
            near = difflib.get_close_matches(value, known, 1, 0)[0]
            raise ValueError(
                f"`{argument}` must be one of {[*known]}, got {value!r}; did "
                f"you mean {near!r}?"
            )
    if name in disk.SOURCES:
        if imbalance_ratio or (profile, subset) != ("exponential", "ldam"):
            raise ValueError(
                "`imbalance_ratio`, `profile` and `subset` cut a balanced data "
                f"set; {name} has the tail that its images have"
            )
        listing = disk.SOURCES[name].read(data_dir)
        listing = disk.with_test(listing, test_per_class)
        if validation_per_class:
            listing = disk.split_off(
                listing, "validation", validation_per_class
            )
        splits = {
            split: disk.files(listing, split, image_size, skip_unreadable)
            for split in listing.names
        }
        return ImageDataset(
            name=name,
            train=splits["train"],
            validation=splits.get("validation"),
            test=splits["test"],
            class_names=listing.class_names,
            source=disk.SOURCES[name],
            split_sha256=listing.sha256,
            ignored=listing.ignored,
        )
    source = DATASETS[name]
    ratio = source.imbalance_ratio if imbalance_ratio is None else None
    ratio = ratio or imbalance_ratio
    PROFILES[profile](2, 1, ratio)  # checks the ratio before the long read
    options = {"test_per_class": test_per_class} if source.splits_test else {}
    if test_per_class is not None and not options:
        raise ValueError(
            f"`test_per_class`: {name} has a test split, got {test_per_class}"
        )
    *arrays, names = source.read(data_dir, precut=subset == "precut", **options)
    x, y, x_test, y_test = arrays
    largest = source.largest or min(stats.count_classes(y, len(names)))
    train, validation = long_tail_indices(
        y,
        PROFILES[profile](len(names), largest, ratio),
        subset=subset,
        validation_per_class=validation_per_class,
    )
    kept = x[train]
    blank = np.count_nonzero(~kept.any(axis=(1, 2, 3)))
    if blank:
        raise DataError(
            f"`data_dir`: {blank:,} of the {len(train):,} training images are "
            "blank; the archive was packed for another `imbalance_ratio` or "
            "`subset`"
        )
    return ImageDataset(
        name=name,
        train=(kept, y[train]),
        validation=(x[validation], y[validation]) if len(validation) else None,
        test=(x_test, y_test),
        class_names=names,
        source=source,
        split_sha256=index_hash(train),
        indices=train,
    )


__all__ = ["DATASETS", "DataError", "ImageDataset", "Source", "load"]
