"""The user's own images: a folder a class."""

import os
import pathlib
from collections.abc import Iterator

import numpy as np

from keras_lt.data.sources.listing import Listing
from keras_lt.data.sources.paths import (
    entries,
    folder_of,
    hidden_folders,
)
from keras_lt.image_reader import ENDINGS, DataError

SPLITS = {
    "train": "train",
    "val": "validation",
    "validation": "validation",
    "test": "test",
}


def read_folder(data_dir: str, *, allow_outside: bool = True) -> Listing:
    """Read a folder with one folder a class.

    Args:
        data_dir: `DIR/CLASS/...`, or `DIR/train/CLASS/...`, beside it maybe
            `val` (or `validation`) and `test`. Classes are sorted by name;
            images lie at any depth below them.
        allow_outside: Has no meaning here: names are those that there are.

    Raises:
        DataError: if it cannot be read, there are other folders beside
            `train`, or classes that `train` lacks.
    """
    root = folder_of(data_dir)
    found = [entry.name for entry in entries(root) if entry.is_dir()]
    splits = {SPLITS[name]: name for name in found if name in SPLITS}
    if splits and "train" not in splits:
        raise DataError(
            f"`data_dir`: {root} holds {sorted(splits.values())}, but no train"
        )
    others = sorted(set(found) - set(SPLITS))
    if splits and others:
        raise DataError(
            f"`data_dir`: beside train, {root} may hold val and test only, "
            f"found {others[0]}"
        )
    if len(splits) < len(found) - len(others):
        raise DataError(f"`data_dir`: {root} holds both val and validation")
    splits = splits or {"train": ""}
    classes = sorted(
        entry.name
        for entry in entries(root / splits["train"])
        if entry.is_dir()
    )
    names, labels = {}, {}
    ignored = [f"{name}/" for name in hidden_folders(root)]
    for split, part in splits.items():
        names[split], ids = [], []
        for entry in entries(root / part):
            name = os.path.join(part, entry.name)
            if not entry.is_dir():
                ignored.append(name)
                continue
            if entry.name not in classes:
                raise DataError(
                    f"`data_dir`: {root / name} is a class that "
                    f"{root / splits['train']} does not hold"
                )
            images = []
            for path in _files(root, name):
                right = path.lower().endswith(ENDINGS)
                (images if right else ignored).append(path)
            names[split] += images
            ids += [classes.index(entry.name)] * len(images)
        labels[split] = np.array(ids, "int64")
    return Listing(root, names, labels, tuple(classes), tuple(ignored))


def _files(
    root: pathlib.Path, name: str, above: tuple[str, ...] = ()
) -> Iterator[str]:
    """Names of all files below a folder."""
    own = os.path.realpath(root / name)
    if own in above:
        raise DataError(
            f"`data_dir`: {root / name} is a link to a folder that it is in"
        )
    for entry in entries(root / name):
        inner = os.path.join(name, entry.name)
        if entry.is_dir():
            yield from _files(root, inner, (*above, own))
        else:
            yield inner
