"""One look at every image of a data set."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from keras_lt import stats
from keras_lt.data.findings import duplicates, labels, oddities
from keras_lt.data.findings.looks import AT_ONCE, Looks, look

SPLITS = ("train", "validation", "test")


class Place(NamedTuple):
    """Where an image is: its split, its position there, and its class."""

    split: str
    position: int
    label: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found in the images of all splits.

    Args:
        dataset: A `data.ImageDataset`.
        unreadable: Reasons by the path of the file.
        places: Of the images that can be read.
        looks: Of the same, in their order.
        sizes: Width and height of files `(N, 2)`; None for arrays.
        encode: Function from images and positions to features `(B, D)`; None
            for pixels of small copies.
    """

    dataset: Any
    unreadable: Mapping[str, str]
    places: list[Place]
    looks: Looks
    sizes: np.ndarray | None
    encode: Callable[[Any, np.ndarray], np.ndarray] | None = None

    def counts(self, split: str) -> list[int]:
        """Images per class of a split, 0 without it."""
        classes = len(self.dataset.class_names)
        _, ids = getattr(self.dataset, split) or ((), ())
        return list(stats.count_classes(ids, classes))

    @functools.cached_property
    def equal(self) -> list[list[Place]]:
        """Groups of equal images."""
        groups = duplicates.exact_duplicates(self.looks)
        return [[self.places[i] for i in group] for group in groups]

    @functools.cached_property
    def similar(self) -> list[list[Place]]:
        """Pairs of images that look alike."""
        pairs = duplicates.near_duplicates(self.looks)
        return [[self.places[i] for i in pair] for pair in pairs]

    @property
    def leaks(self) -> int:
        """Images that are equal to one of another split."""
        return sum(
            len(group)
            for group in self.equal
            if len({place.split for place in group}) > 1
        )

    @property
    def conflicts(self) -> int:
        """Images that are equal to one of another class."""
        return sum(
            len(group)
            for group in self.equal
            if len({place.label for place in group}) > 1
        )

    @functools.cached_property
    def odd(self) -> dict[str, list[Place]]:
        """Odd images, by what is odd."""
        found = oddities.odd_looks(self.looks)
        if self.sizes is not None:
            side = self.dataset.input_shape[0]
            found |= oddities.odd_sizes(self.sizes, side)
        return {k: [self.places[i] for i in odd] for k, odd in found.items()}

    @functools.cached_property
    def suspects(self) -> list[Place] | None:
        """Training images with a doubtful label; None without cleanlab."""
        if not labels.is_possible():
            return None
        train = [i for i, p in enumerate(self.places) if p.split == "train"]
        ids = np.array([self.places[i].label for i in train])
        found = labels.suspects(self._features(train), ids)
        return [self.places[train[i]] for i in found]

    def _features(self, train: list[int]) -> np.ndarray:
        """Of training images `(N, F)`."""
        if self.encode is None:
            return self.looks.small[train].reshape(len(train), -1) / 255
        images, _ = self.dataset.train
        positions = np.array([self.places[i].position for i in train])
        starts = range(0, len(positions), AT_ONCE)
        parts = [positions[start : start + AT_ONCE] for start in starts]
        return np.concatenate([self.encode(images, part) for part in parts])


def inspect_images(
    dataset: Any,
    progress: Callable[[str, int, int], Any],
    encode: Callable[[Any, np.ndarray], np.ndarray] | None = None,
) -> Inspection:
    """Read every image of a data set.

    Args:
        dataset: A `data.ImageDataset`, whose files need not all be readable.
        progress: Called with the split, the number of its images, and how
            many of them are read.
        encode: See `Inspection`.
    """
    unreadable: dict[str, str] = {}
    places, parts, sizes = [], [], []
    for split in SPLITS:
        if (found := getattr(dataset, split)) is None:
            continue
        images, ids = found
        index, bad = _readable(images, len(ids))
        unreadable |= bad
        report = functools.partial(progress, split, len(index))
        parts.append(look(images, index, report))
        places += [Place(split, int(i), int(ids[i])) for i in index]
        if hasattr(images, "path"):
            sizes.append(oddities.read_sizes(images, index))
    columns = [
        np.concatenate([getattr(part, field.name) for part in parts])
        for field in dataclasses.fields(Looks)
    ]
    return Inspection(
        dataset=dataset,
        unreadable=unreadable,
        places=places,
        looks=Looks(*columns),
        sizes=np.concatenate(sizes) if sizes else None,
        encode=encode,
    )


def _readable(images: Any, number: int) -> tuple[np.ndarray, dict[str, str]]:
    """Positions of images that can be read, and why others cannot."""
    everything = np.arange(number)
    if not hasattr(images, "check"):
        return everything, {}
    bad: dict[str, str] = {}
    for start in range(0, number, AT_ONCE):
        bad |= images.check(everything[start : start + AT_ONCE])
    good = [i for i in everything if str(images.path(i)) not in bad]
    return np.array(good, "int64"), bad
