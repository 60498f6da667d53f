"""Images on disk with their classes, and their splits."""

import collections
import dataclasses
import hashlib
import itertools
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lt import stats
from keras_lt.data.sources.image_files import ImageFiles
from keras_lt.data.sources.long_tail import long_tail_indices
from keras_lt.data.sources.records import RecordImages
from keras_lt.data.sources.shares import (
    TEST_SHARE,
    small_classes,
    test_counts,
    validation_counts,
)
from keras_lt.data.sources.source import Options, Splits
from keras_lt.image_reader import DataError


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
    names: dict[str, list[str]]
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

    def splits(self, options: Options) -> Splits:
        """Split off what is asked for; images are read when they are used."""
        whole = self.without_small(options.small_classes)
        whole = whole.with_test(options.test_per_class, options.test_share)
        if options.validation_per_class:
            whole = whole.split_off("validation", options.validation_per_class)
        elif options.validation_share and "validation" not in whole.names:
            counts = whole.counts("train")
            held_out = validation_counts(counts, options.validation_share)
            if any(held_out):  # of classes of two images, none
                whole = whole.split_off("validation", held_out)
        found = {split: whole.images(split, options) for split in whole.names}
        return Splits(
            train=found["train"],
            validation=found.get("validation"),
            test=found["test"],
            class_names=whole.class_names,
            split_sha256=whole.sha256,
            ignored=self.ignored,
        )

    def without_small(self, how: str) -> "Listing":
        """Return one without the classes that have too few images.

        Args:
            how: See `shares.small_classes`.
        """
        gone = small_classes(
            self.class_names,
            self.counts("train"),
            needed=2 - bool({"test", "validation"} & {*self.names}),
            how=how,
            where=str(self.root),
        )
        if not gone:
            return self
        kept = np.setdiff1d(np.arange(len(self.class_names)), gone)
        names, labels = {}, {}
        for split, ids in self.labels.items():
            stays = np.isin(ids, kept)
            names[split] = [*itertools.compress(self.names[split], stays)]
            labels[split] = np.searchsorted(kept, ids[stays])
        return dataclasses.replace(
            self,
            names=names,
            labels=labels,
            class_names=tuple(self.class_names[c] for c in kept),
        )

    def with_test(
        self, per_class: int | None, share: float | None
    ) -> "Listing":
        """Return one with a test split, itself if it has one.

        A validation split becomes it.

        Args:
            per_class: Else images of each class.
            share: In place of it: share of each class, see
                `shares.test_counts`; by default `shares.TEST_SHARE`. With 0
                of every class a third of the smallest one, from 1 to 50.
        """
        if "test" in self.names:
            return self
        if "validation" in self.names:
            names, labels = dict(self.names), dict(self.labels)
            names["test"] = names.pop("validation")
            labels["test"] = labels.pop("validation")
            return dataclasses.replace(self, names=names, labels=labels)
        counts = self.counts("train")
        share = TEST_SHARE if share is None else share
        if per_class or not share:
            third = min(50, max(min(counts) // 3, 1))
            return self.split_off("test", per_class or third)
        return self.split_off("test", test_counts(counts, share))

    def split_off(
        self, split: str, per_class: int | Sequence[int]
    ) -> "Listing":
        """Return one with some training images of each class as a split.

        Args:
            split: Its name.
            per_class: How many, of every class or of each.

        Raises:
            DataError: if a class would have no training image left.
        """
        labels = self.labels["train"]
        try:
            kept, taken = long_tail_indices(
                labels, self.counts("train"), validation_per_class=per_class
            )
        except DataError as error:
            text = str(error).replace("validation_per", f"{split}_per")
            raise DataError(text) from error
        kept, taken = np.sort(kept), np.sort(taken)
        names = np.array(self.names["train"], object)
        new_names = {
            "train": names[kept].tolist(),
            split: names[taken].tolist(),
        }
        new_labels = {"train": labels[kept], split: labels[taken]}
        return dataclasses.replace(
            self,
            names=self.names | new_names,
            labels=self.labels | new_labels,
        )

    def images(
        self, split: str, options: Options
    ) -> tuple[ImageFiles, np.ndarray]:
        """Images and labels of a split."""
        names, labels = self.names[split], self.labels[split]
        instead = _next_of_class(labels) if options.skip_unreadable else None
        how: dict[str, Any] = {
            "size": options.image_size,
            "instead": instead,
            "max_pixels": options.max_pixels,
        }
        if not self.records:
            return ImageFiles(self.root, names, **how), labels
        return RecordImages(self.records, self.root, names, **how), labels


def _check_utf8(name):
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"`data_dir`: the name {os.fsencode(name)!r} is not UTF-8; rename "
            "it"
        ) from error


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
