"""The user's own images: a table of their paths and classes."""

import collections
import csv
import os
import pathlib

import numpy as np

from keras_lt.array_files import check_regular
from keras_lt.data.sources.folder import SPLITS
from keras_lt.data.sources.listing import Listing
from keras_lt.data.sources.paths import check_files, check_inside
from keras_lt.image_reader import DataError


def read_csv(data_dir: str, *, allow_outside: bool = False) -> Listing:
    """Read a table of images.

    Args:
        data_dir: A file of comma-separated values in UTF-8 whose first line
            names the columns: `path`, below the folder of the file; `label`,
            the name of the class; and maybe `split`: train, val or test.
        allow_outside: Whether paths may lead out of that folder.

    Raises:
        DataError: naming the line, for anything else.
    """
    path = pathlib.Path(data_dir)
    names = collections.defaultdict(list)
    labels = collections.defaultdict(list)
    try:
        check_regular(path)
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
    except (OSError, ValueError, csv.Error) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"`data_dir`: {path} cannot be read: {error}"
        ) from error
    if not names["train"]:
        raise DataError(f"`data_dir`: {path} lists no training image")
    classes = sorted({label for part in labels.values() for label in part})
    if all(name.isdecimal() for name in classes):
        classes = sorted(classes, key=int)
    ids = {name: number for number, name in enumerate(classes)}
    every = [name for part in names.values() for name in part]
    check_inside(path, every, allow_outside)
    check_files(path.parent, every)
    return Listing(
        path.parent,
        dict(names),
        {
            split: np.array([ids[label] for label in part], "int64")
            for split, part in labels.items()
        },
        tuple(classes),
    )
