"""Data sets that stay on disk: published lists, and the user's own images."""

import dataclasses
from collections.abc import Callable

import numpy as np

from keras_lt import stats
from keras_lt.data.augment import Augment
from keras_lt.data.image_files import ImageFiles
from keras_lt.data.listings import Listing, check_files, folder_of, read_list
from keras_lt.data.long_tail import DataError, long_tail_indices
from keras_lt.data.own_images import read_csv, read_folder
from keras_lt.data.records import RecordImages, open_records

LISTS = "github.com/facebookresearch/classifier-balancing, folder data"
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
class Published:
    """What is known of a published long-tailed data set.

    Args:
        lists: File of each split.
        images: Images of each split.
        groups: Classes with many, medium and few training images.
        counts: Training images of the largest and the smallest class.
        records: Its name in TensorFlow Datasets; None if it is not there.
    """

    lists: dict[str, str]
    images: dict[str, int]
    groups: tuple[int, int, int]
    counts: tuple[int, int]
    records: str | None = None

    def read(self, data_dir: str | None) -> Listing:
        """Read the lists below a folder of images, and check them.

        Args:
            data_dir: The folder; None for TensorFlow Datasets.

        Raises:
            DataError: if a list or an image is missing, or a number is not
                the published one.
        """
        if data_dir is None and self.records:
            return self._read_records()
        root = folder_of(data_dir)
        for file in self.lists.values():
            if not (root / file).exists():
                raise DataError(
                    f"`data_dir`: {root / file} is missing; it is published "
                    f"at {LISTS}, and belongs beside the folders of images"
                )
        names, labels = {}, {}
        for split, file in self.lists.items():
            names[split], labels[split] = read_list(
                root / file, sum(self.groups)
            )
            self._check_size(root / file, split, len(names[split]))
        self._check_tail(root / self.lists["train"], labels["train"])
        check_files(root, [n for part in names.values() for n in part])
        first = np.unique(labels["train"], return_index=True)[1]
        classes = tuple(names["train"][i].split("/")[-2] for i in first)
        return Listing(root, names, labels, classes)

    def _read_records(self):
        theirs = {"train": "train", "validation": "validation", "test": "test"}
        if "validation" not in self.images:
            theirs = {"train": "train", "test": "validation"}
        advice = (
            "or name with --data_dir (`data_dir`) a folder that holds the "
            f"images and {', '.join(self.lists.values())}"
        )
        root, records, labels = open_records(self.records, theirs, advice)
        for split, part in labels.items():
            self._check_size(f"{root}, {theirs[split]},", split, len(part))
        self._check_tail(root, labels["train"])
        names = {
            split: [f"{theirs[split]}/{i}" for i in range(len(part))]
            for split, part in labels.items()
        }
        classes = tuple(map(str, range(sum(self.groups))))
        return Listing(root, names, labels, classes, records=records)

    def _check_size(self, place, split, found):
        if found != self.images[split]:
            raise DataError(
                f"`data_dir`: {place} must list {self.images[split]:,} images, "
                f"found {found:,}"
            )

    def _check_tail(self, place, labels):
        counts = stats.count_classes(labels, sum(self.groups))
        groups = tuple(len(group) for group in stats.shot_groups(counts))
        if (groups, max(counts), min(counts)) != (self.groups, *self.counts):
            raise DataError(
                f"`data_dir`: {place} must have "
                f"{self.groups} classes with many, medium and few images, of "
                f"{self.counts[0]} to {self.counts[1]}, found {groups}, "
                f"{max(counts)} to {min(counts)}"
            )


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


def _published(name, lists, images, groups, counts, look, records=None):
    lists = dict(zip(images, lists, strict=True))
    published = Published(lists, images, groups, counts, records)
    return DiskSource(published.read, name, **look)


SOURCES = {
    "imagenet_lt": _published(
        "imagenet_lt",
        [f"ImageNet_LT_{part}.txt" for part in ("train", "val", "test")],
        {"train": 115_846, "validation": 20_000, "test": 50_000},
        (385, 479, 136),
        (1280, 5),
        IMAGENET,
        "imagenet_lt",
    ),
    "places_lt": _published(
        "places_lt",
        [f"Places_LT_{part}.txt" for part in ("train", "val", "test")],
        {"train": 62_500, "validation": 7_300, "test": 36_500},
        (131, 163, 71),
        (4980, 5),
        IMAGENET,
    ),
    "inaturalist2018": _published(
        "inaturalist2018",
        ["iNaturalist18_train.txt", "iNaturalist18_val.txt"],
        {"train": 437_513, "test": 24_426},
        (842, 4076, 3224),
        (1000, 2),
        INATURALIST,
        "i_naturalist2018",
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
