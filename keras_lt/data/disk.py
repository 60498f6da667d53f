"""Data sets that stay on disk: published lists, and the user's own images."""

import dataclasses
from collections.abc import Callable

import numpy as np

from keras_lt.data.augment import Augment
from keras_lt.data.image_files import ImageFiles
from keras_lt.data.listings import Listing
from keras_lt.data.long_tail import DataError, long_tail_indices
from keras_lt.data.own_images import read_csv, read_folder
from keras_lt.data.published import (
    IMAGENET_LT,
    INATURALIST_2018,
    PLACES_LT,
)
from keras_lt.data.records import RecordImages

IMAGENET = {
    "pixel_mean": (0.485, 0.456, 0.406),
    "pixel_std": (0.229, 0.224, 0.225),
    "augment": Augment(
        crop_scale=(0.08, 1.0), flip=True, jitter=(0.4, 0.4, 0.4, 0.0)
    ),
}
INATURALIST = {
    "pixel_mean": (0.466, 0.471, 0.380),
    "pixel_std": (0.195, 0.194, 0.192),
    "augment": Augment(crop_scale=(0.08, 1.0), flip=True),
}
OWN = IMAGENET | {"augment": INATURALIST["augment"]}


@dataclasses.dataclass(frozen=True)
class DiskSource:
    """A data set on disk.

    Args:
        read: Function from `data_dir` to a `Listing`.
        family: Name of the hyperparameter presets that suit it.
        pixel_mean: Mean of each channel, on the scale 0..1.
        pixel_std: Standard deviation of each channel, on that scale.
        augment: Published augmentation.
        imbalance_ratio: None: it is that of the images.
    """

    read: Callable
    family: str
    pixel_mean: tuple[float, ...]
    pixel_std: tuple[float, ...]
    augment: Augment
    imbalance_ratio: None = None


SOURCES = {
    "imagenet_lt": DiskSource(IMAGENET_LT.read, "imagenet_lt", **IMAGENET),
    "places_lt": DiskSource(PLACES_LT.read, "places_lt", **IMAGENET),
    "inaturalist2018": DiskSource(
        INATURALIST_2018.read, "inaturalist2018", **INATURALIST
    ),
    "folder": DiskSource(read_folder, "folder", **OWN),
    "csv": DiskSource(read_csv, "folder", **OWN),
}


def split_off(listing: Listing, split: str, per_class: int) -> Listing:
    """Take some training images of each class away, for another split.

    Raises:
        DataError: if a class would have no training image left.
    """
    labels = listing.labels["train"]
    kept, taken = long_tail_indices(
        labels, listing.counts("train"), validation_per_class=per_class
    )
    kept, taken = np.sort(kept), np.sort(taken)
    names = np.array(listing.names["train"], object)
    new_names = {"train": names[kept].tolist(), split: names[taken].tolist()}
    new_labels = {"train": labels[kept], split: labels[taken]}
    return dataclasses.replace(
        listing,
        names=listing.names | new_names,
        labels=listing.labels | new_labels,
    )


def with_test(listing: Listing, per_class: int | None) -> Listing:
    """Give a listing a test split, if it has none.

    A validation split becomes it. Else it gets as many images of each class:
    `per_class`, or a third of what the smallest class has, from 1 to 50.

    Raises:
        DataError: if a class has a single image.
    """
    if "test" in listing.names:
        return listing
    if "validation" in listing.names:
        names, labels = dict(listing.names), dict(listing.labels)
        names["test"] = names.pop("validation")
        labels["test"] = labels.pop("validation")
        return dataclasses.replace(listing, names=names, labels=labels)
    counts = listing.counts("train")
    if min(counts) == 1:
        name = listing.class_names[counts.index(1)]
        raise DataError(
            f"`data_dir`: class {name!r} has a single image, so that none can "
            "be kept for testing; add images, or a folder (or split) test"
        )
    third = min(50, max(min(counts) // 3, 1))
    return split_off(listing, "test", per_class or third)


def files(
    listing: Listing, split: str, size: int, skip: bool
) -> tuple[ImageFiles, np.ndarray]:
    """Images and labels of a split."""
    labels = listing.labels[split]
    instead = _next_of_class(labels) if skip else None
    names = listing.names[split]
    options = {"size": size, "instead": instead}
    if not listing.records:
        return ImageFiles(listing.root, names, **options), labels
    images = RecordImages(listing.records, listing.root, names, **options)
    return images, labels


def _next_of_class(labels):
    """For each image the next one of its class; the first for the last."""
    order = np.argsort(labels, kind="stable")
    following = np.roll(order, -1)
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    ends = np.append(starts[1:], len(order)) - 1
    following[ends] = order[starts]
    instead = np.empty(len(labels), "int64")
    instead[order] = following
    return instead
