"""Data sets by name."""

import dataclasses
import functools
from typing import Any

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.data.sources.catalogue import DATASETS
from keras_lt.data.sources.long_tail import PROFILES
from keras_lt.data.sources.source import Options, Source, Splits
from keras_lt.hyperparameters import closest
from keras_lt.image_reader import MAX_PIXELS


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageDataset(Splits):
    """A long-tailed data set: the fields of `Splits`, and its origin.

    Args:
        name: Name of the data set.
        source: Where it came from, with statistics and augmentation.
    """

    name: str
    source: Source

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self.train[0].shape[1:]

    @property
    def groups(self) -> str:
        """In which groups of classes results are told by."""
        return self.source.groups

    def at(self, size: int) -> "ImageDataset":
        """The same images, on disk, in another size."""
        found: dict[str, Any] = {
            name: split and (split[0].at(size), split[1])
            for name in ("train", "validation", "test")
            for split in (getattr(self, name),)
        }
        return dataclasses.replace(self, **found)

    @functools.cached_property
    def class_counts(self) -> tuple[int, ...]:
        """Training images per class."""
        return stats.count_classes(self.train[1], len(self.class_names))


@checked
def load(
    name: str,
    *,
    imbalance_ratio: float | None = None,
    profile: str = "exponential",
    subset: str = "ldam",
    data_dir: str | None = None,
    validation_per_class: int = 0,
    validation_share: float = 0.0,
    test_per_class: int | None = None,
    test_share: float | None = None,
    small_classes: str = "error",
    image_size: int = 224,
    skip_unreadable: bool = False,
    max_pixels: int = MAX_PIXELS,
    allow_outside: bool = False,
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
        validation_share: In place of it, of images on disk without a
            validation split: share of each class, of three images or more at
            least one.
        test_per_class: Images of each class to test on, where your own images
            have no test split; or of the digits, by default 70.
        test_share: In place of it, of your own images: share of each class, by
            default 0.2, of four images or more at least two; 0: as many of
            every class as a third of the smallest, at most 50.
        small_classes: Classes without an image, or with a single one where a
            test split is to be made: `"error"`; `"train_only"`, which tests on
            the others; or `"drop"`, which leaves them out.
        image_size: Pixels of a side of images that stay on disk.
        skip_unreadable: Whether another image of its class stands in for an
            image on disk that cannot be read; else that is an error when it is
            met.
        max_pixels: Of an image on disk, see `read_image`.
        allow_outside: Whether a list or a table may name files that are not
            below its folder.

    Returns:
        An `ImageDataset`.

    Raises:
        DataError: if files are missing or damaged, or a class is too small.
        ValueError: if an argument is out of range or unknown.

    Example:
        >>> load("digits_lt").class_counts
        (104, 67, 43, 28, 18, 11, 7, 4, 3, 2)
    """
    _check_known("name", name, DATASETS)
    _check_known("profile", profile, PROFILES)
    source = DATASETS[name]
    options = Options(
        imbalance_ratio=imbalance_ratio,
        profile=profile,
        subset=subset,
        data_dir=data_dir,
        validation_per_class=validation_per_class,
        validation_share=validation_share,
        test_per_class=test_per_class,
        test_share=test_share,
        small_classes=small_classes,
        image_size=image_size,
        skip_unreadable=skip_unreadable,
        max_pixels=max_pixels,
        allow_outside=allow_outside,
    )
    if source.imbalance_ratio is None:
        _check_not_cut(name, options)
    else:
        options = _with_ratio(name, source, options)
    splits = source.read(options).splits(options)
    return ImageDataset(name=name, source=source, **vars(splits))


def _check_known(argument, value, known):
    if value not in known:
        raise ValueError(
            f"`{argument}` must be one of {[*known]}, got {value!r}; did "
            f"you mean {closest(value, known)!r}?"
        )


def _check_not_cut(name, options):
    cut = options.profile, options.subset
    if options.imbalance_ratio or cut != (Options.profile, Options.subset):
        raise ValueError(
            "`imbalance_ratio`, `profile` and `subset` cut a balanced data "
            f"set; {name} has the tail that its images have"
        )


def _with_ratio(name, source, options):
    """Fill in the ratio, and check what can be before the long read."""
    if options.validation_share:
        raise ValueError(
            "`validation_share` is for images on disk; `validation_per_class` "
            f"holds out images of {name}, got {options.validation_share}"
        )
    if options.test_per_class is not None and not source.splits_test:
        raise ValueError(
            f"`test_per_class`: {name} has a test split, got "
            f"{options.test_per_class}"
        )
    if options.imbalance_ratio is None:
        return dataclasses.replace(
            options, imbalance_ratio=source.imbalance_ratio
        )
    PROFILES[options.profile](2, 1, options.imbalance_ratio)
    return options
