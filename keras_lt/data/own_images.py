"""The user's own images: a folder a class, or a table."""

import collections
import csv
import os
import pathlib
from collections.abc import Iterator

import numpy as np

from keras_lt.data.listings import Listing, check_files, entries, folder_of
from keras_lt.data.long_tail import DataError

SPLITS = {
    "train": "train",
    "val": "validation",
    "validation": "validation",
    "test": "test",
}
ENDINGS = (
    *(".bmp", ".gif", ".jpeg", ".jpg", ".jp2", ".pbm", ".pgm", ".png"),
    *(".pnm", ".ppm", ".tif", ".tiff", ".webp"),
)


def read_folder(data_dir: str) -> Listing:
    """Read a folder with one folder a class.

    Args:
        data_dir: `DIR/CLASS/...`, or `DIR/train/CLASS/...`, beside it maybe
            `val` (or `validation`) and `test`. Classes are sorted by name;
            images lie at any depth below them.

    Raises:
        DataError: if it cannot be read, a class is empty, there are other
            folders beside `train`, or classes that `train` lacks.
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
    names, labels, ignored = {}, {}, []
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
            if not images:
                raise DataError(
                    f"`data_dir`: {root / name} holds no image; images end in "
                    f"{', '.join(ENDINGS)}"
                )
            names[split] += images
            ids += [classes.index(entry.name)] * len(images)
        labels[split] = np.array(ids, "int64")
    return Listing(root, names, labels, tuple(classes), tuple(ignored))


def read_csv(data_dir: str) -> Listing:
    """Read a table of images.

    Args:
        data_dir: A file of comma-separated values in UTF-8 whose first line
            names the columns: `path`, below the folder of the file; `label`,
            the name of the class; and maybe `split`: train, val or test.

    Raises:
        DataError: naming the line, for anything else.
    """
    path = pathlib.Path(data_dir)
    names = collections.defaultdict(list)
    labels = collections.defaultdict(list)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            columns = rows.fieldnames or []
            if not {"path", "label"} <= set(columns):
                raise DataError(
                    f"`data_dir`: the first line of {path} must name the "
                    f"columns path and label, found {columns}"
                )
            for row in rows:
                if None in row or None in row.values():
                    raise DataError(
                        f"`data_dir`: line {rows.line_num} of {path} must have "
                        f"{len(columns)} values"
                    )
                split = row.get("split") or "train"
                if not row["path"] or not row["label"]:
                    raise DataError(
                        f"`data_dir`: line {rows.line_num} of {path} lacks its "
                        "path or label"
                    )
                if split not in SPLITS:
                    raise DataError(
                        f"`data_dir`: line {rows.line_num} of {path}: split "
                        f"must be one of {[*SPLITS]}, got {split!r}"
                    )
                names[SPLITS[split]].append(os.path.normpath(row["path"]))
                labels[SPLITS[split]].append(row["label"])
    except UnicodeDecodeError as error:
        raise DataError(f"`data_dir`: {path} is not UTF-8: {error}") from error
    except (OSError, csv.Error) as error:
        raise DataError(
            f"`data_dir`: {path} cannot be read: {error}"
        ) from error
    if not names["train"]:
        raise DataError(f"`data_dir`: {path} lists no training image")
    classes = sorted({label for part in labels.values() for label in part})
    if all(name.isdecimal() for name in classes):
        classes = sorted(classes, key=int)
    ids = {name: number for number, name in enumerate(classes)}
    check_files(path.parent, [n for part in names.values() for n in part])
    return Listing(
        path.parent,
        dict(names),
        {
            split: np.array([ids[label] for label in part], "int64")
            for split, part in labels.items()
        },
        tuple(classes),
    )


def _files(root: pathlib.Path, name: str) -> Iterator[str]:
    """Names of all files below a folder."""
    for entry in entries(root / name):
        inner = os.path.join(name, entry.name)
        if entry.is_dir():
            yield from _files(root, inner)
        else:
            yield inner
