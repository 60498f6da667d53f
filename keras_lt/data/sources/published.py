"""Published long-tailed data sets: their lists, and what is known of them."""

import dataclasses
import hashlib
import pathlib

import numpy as np

from keras_lt import stats
from keras_lt.array_files import check_regular
from keras_lt.data.sources.listing import Listing
from keras_lt.data.sources.paths import check_files, check_inside, folder_of
from keras_lt.data.sources.records import open_records
from keras_lt.image_reader import DataError

LISTS = "github.com/facebookresearch/classifier-balancing, folder data"


@dataclasses.dataclass(frozen=True)
class Published:
    """What is known of a published long-tailed data set.

    Args:
        lists: File of each split.
        images: Images of each split.
        groups: Classes with many, medium and few training images.
        counts: Training images of the largest and the smallest class.
        order: SHA-256 of the names of the folders of the classes, in order, a
            line each.
        records: Its name in TensorFlow Datasets; None if it is not there.
    """

    lists: dict[str, str]
    images: dict[str, int]
    groups: tuple[int, int, int]
    counts: tuple[int, int]
    order: str
    records: str | None = None

    def read(
        self, data_dir: str | None, *, allow_outside: bool = False
    ) -> Listing:
        """Read the lists below a folder of images, and check them.

        Args:
            data_dir: The folder; None for TensorFlow Datasets.
            allow_outside: Whether paths may lead out of it.

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
        every = [name for part in names.values() for name in part]
        check_inside(root / "lists", every, allow_outside)
        check_files(root, every)
        classes = self._classes(root, names, labels)
        return Listing(root, names, labels, classes)

    def _read_records(self):
        theirs = {"train": "train", "validation": "validation", "test": "test"}
        if "validation" not in self.images:
            theirs = {"train": "train", "test": "validation"}
        advice = (
            "name with --data_dir (`data_dir`) a folder that holds the "
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

    def _classes(self, root, names, labels):
        """Names of the classes: the folders of their images."""
        first = np.unique(labels["train"], return_index=True)[1]
        classes = tuple(names["train"][i].split("/")[-2] for i in first)
        order = hashlib.sha256("\n".join(classes).encode()).hexdigest()
        if order != self.order:
            raise DataError(
                f"`data_dir`: the classes in the lists of {root} are not in "
                f"the published order: {', '.join(classes[:3])} ..."
            )
        for split in names:
            for name, label in zip(names[split], labels[split], strict=True):
                if name.split("/")[-2] != classes[label]:
                    raise DataError(
                        f"`data_dir`: {name} in the lists of {root} must lie "
                        f"in {classes[label]}, the folder of its label {label}"
                    )
        return classes


def read_list(
    path: pathlib.Path, num_classes: int
) -> tuple[list[str], np.ndarray]:
    """Read a published list: a line an image, "path label".

    Returns:
        Names, and labels int64 `(N,)`.

    Raises:
        DataError: naming the line, if it is no such list.
    """
    names, labels = [], []
    try:
        check_regular(path)
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(
            f"`data_dir`: {path} cannot be read: {error}"
        ) from error
    for number, line in enumerate(lines, 1):
        name, _, label = line.strip().rpartition(" ")
        if not name or not label.isdecimal():
            raise DataError(
                f"`data_dir`: line {number} of {path} must be a path and a "
                f"label, got {line[:80]!r}"
            )
        if int(label) >= num_classes:
            raise DataError(
                f"`data_dir`: line {number} of {path}: the label must be below "
                f"{num_classes}, got {label}"
            )
        names.append(name)
        labels.append(int(label))
    return names, np.array(labels, "int64")


IMAGENET_LT = Published(
    lists={
        "train": "ImageNet_LT_train.txt",
        "validation": "ImageNet_LT_val.txt",
        "test": "ImageNet_LT_test.txt",
    },
    images={"train": 115_846, "validation": 20_000, "test": 50_000},
    groups=(385, 479, 136),
    counts=(1280, 5),
    order="385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd",
    records="imagenet_lt",
)
PLACES_LT = Published(
    lists={
        "train": "Places_LT_train.txt",
        "validation": "Places_LT_val.txt",
        "test": "Places_LT_test.txt",
    },
    images={"train": 62_500, "validation": 7_300, "test": 36_500},
    groups=(131, 163, 71),
    counts=(4980, 5),
    order="2da924ea38d6440d2dae0bc855af82e4bbcb71f4efa11688e9dc965075812c5c",
)
INATURALIST_2018 = Published(
    lists={"train": "iNaturalist18_train.txt", "test": "iNaturalist18_val.txt"},
    images={"train": 437_513, "test": 24_426},
    groups=(842, 4076, 3224),
    counts=(1000, 2),
    order="038c31542f83852ae1b49f7636824c1d856a64db21caa44cfa1fbee196a6cd97",
    records="i_naturalist2018",
)
