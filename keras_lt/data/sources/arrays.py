"""Balanced data sets in memory, which are cut to a long tail."""

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np

from keras_lt import stats
from keras_lt.data.sources.long_tail import (
    PROFILES,
    index_hash,
    long_tail_indices,
)
from keras_lt.data.sources.source import Options, Splits
from keras_lt.image_reader import DataError

# Training images and labels, test images and labels, names of the classes.
Parts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class Arrays:
    """A balanced data set in memory.

    Args:
        train: All images uint8 `(N, H, W, channels)`.
        train_labels: int64 `(N,)`.
        test: Test images.
        test_labels: Their labels.
        class_names: Length C.
        largest: Images of class 0 after the cut; None for as many as every
            class has.
    """

    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    largest: int | None = None

    def splits(self, options: Options) -> Splits:
        """Cut to a long tail.

        Raises:
            DataError: if a class is too small, or images that are to be kept
                were left out of a packed archive.
        """
        classes, labels = len(self.class_names), self.train_labels
        ratio = options.imbalance_ratio or 1.0
        largest = self.largest or min(stats.count_classes(labels, classes))
        profile = PROFILES[options.profile]
        train, validation = long_tail_indices(
            labels,
            profile(classes, largest, ratio),
            subset=options.subset,
            validation_per_class=options.validation_per_class,
        )
        kept, held_out = self.train[train], self.train[validation]
        blank = np.count_nonzero(~kept.any(axis=(1, 2, 3)))
        if blank:
            raise DataError(
                f"`data_dir`: {blank:,} of the {len(train):,} training images "
                "are blank; the archive was packed for another "
                "`imbalance_ratio` or `subset`"
            )
        return Splits(
            train=(kept, labels[train]),
            validation=(
                (held_out, labels[validation]) if len(validation) else None
            ),
            test=(self.test, self.test_labels),
            class_names=self.class_names,
            split_sha256=index_hash(train),
            indices=train,
            content_sha256=_hash(kept, labels[train]),
        )

    def __post_init__(self):
        """Check that labels name classes, and images have labels."""
        parts = {
            "training": (self.train, self.train_labels),
            "test": (self.test, self.test_labels),
        }
        for split, (images, labels) in parts.items():
            if len(images) != len(labels):
                raise DataError(
                    f"`data_dir`: {len(images):,} {split} images have "
                    f"{len(labels):,} labels"
                )
            check_labels(f"the {split} images", labels, self.class_names)


def check_labels(what: str, labels: np.ndarray, names: Sequence[str]) -> None:
    """Raise DataError for a label that names no class."""
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(names):
        raise DataError(
            f"`data_dir`: labels of {what} must be below the {len(names)} "
            f"classes that have names, found {labels.min()} to {labels.max()}"
        )


def _hash(images, labels):
    digest = hashlib.sha256(repr((images.shape, images.dtype.str)).encode())
    digest.update(np.ascontiguousarray(images).data)
    digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()
