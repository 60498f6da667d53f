"""Images on disk with their classes, and published lists of them."""

import collections
import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lt import stats
from keras_lt.data.long_tail import DataError


@dataclasses.dataclass(frozen=True)
class Listing:
    """Images on disk, with their classes.

    Args:
        root: Folder.
        names: By split ("train", "validation", "test"): paths below the root.
        labels: By split: class ids, int64 `(N,)`.
        class_names: Length C.
        ignored: Files beside the images, none by their ending.
        records: Where the images are instead of on paths, by the first part
            of the name; the rest is the number of the record.
    """

    root: pathlib.Path
    names: dict[str, Sequence[str]]
    labels: dict[str, np.ndarray]
    class_names: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    records: dict[str, Any] | None = None

    def __post_init__(self):
        """Check what a training would stumble over."""
        if len(self.class_names) < 2:
            raise DataError(
                f"`data_dir`: {self.root} must hold two classes or more, found "
                f"{list(self.class_names)}"
            )
        repeated = [
            name
            for name, times in collections.Counter(
                name for names in self.names.values() for name in names
            ).items()
            if times > 1
        ]
        if repeated:
            raise DataError(
                f"`data_dir`: {len(repeated)} images are listed more than "
                f"once, the first is {repeated[0]}"
            )
        for name in (
            *self.class_names,
            *sum(map(list, self.names.values()), []),
        ):
            _check_utf8(name)
        for class_id, count in enumerate(self.counts("train")):
            if not count:
                raise DataError(
                    f"`data_dir`: class {self.class_names[class_id]!r} has no "
                    f"training image in {self.root}"
                )

    def counts(self, split: str) -> tuple[int, ...]:
        """Images per class of a split."""
        return stats.count_classes(self.labels[split], len(self.class_names))

    @property
    def sha256(self) -> str:
        """Hash of the names and labels of the training images."""
        digest = hashlib.sha256()
        for name, label in zip(
            self.names["train"], self.labels["train"], strict=True
        ):
            digest.update(f"{name} {label}\n".encode())
        return digest.hexdigest()


def read_list(path: pathlib.Path, num_classes: int):
    """Read a published list: a line an image, "path label".

    Returns:
        Names, and labels int64 `(N,)`.

    Raises:
        DataError: naming the line, if it is no such list.
    """
    names, labels = [], []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
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


def check_files(root: pathlib.Path, names: Sequence[str]) -> None:
    """Raise unless all images are there; a folder at a time.

    Raises:
        DataError: naming the first that is missing, and how many are.
    """
    by_folder = collections.defaultdict(list)
    for name in names:
        folder, _, file = name.rpartition("/")
        by_folder[folder].append(file)
    missing = []
    for folder, files in by_folder.items():
        try:
            there = set(os.listdir(root / folder))
        except OSError:
            there = set()
        missing += [root / folder / file for file in files if file not in there]
    if missing:
        raise DataError(
            f"`data_dir`: {len(missing):,} of {len(names):,} listed images are "
            f"missing, the first is {missing[0]}"
        )


def folder_of(data_dir: str | None) -> pathlib.Path:
    """Return a folder as a path; DataError if it is none."""
    if data_dir is None or not pathlib.Path(data_dir).is_dir():
        raise DataError(f"`data_dir` must be a folder, got {data_dir}")
    return pathlib.Path(data_dir)


def entries(folder: pathlib.Path) -> list[os.DirEntry]:
    """What a folder holds, sorted, without hidden files."""
    try:
        with os.scandir(folder) as found:
            shown = [e for e in found if not e.name.startswith(".")]
    except OSError as error:
        raise DataError(
            f"`data_dir`: {folder} cannot be read: {error}"
        ) from error
    return sorted(shown, key=lambda entry: entry.name)


def _check_utf8(name):
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"`data_dir`: the name {os.fsencode(name)!r} is not UTF-8; rename "
            "it"
        ) from error
