"""Folders of images: what they hold, and what they lack."""

import collections
import os
import pathlib
from collections.abc import Sequence

from keras_lt.image_reader import DataError


def folder_of(data_dir: str | None) -> pathlib.Path:
    """Return a folder as a path; DataError if it is none."""
    if data_dir is None or not pathlib.Path(data_dir).is_dir():
        raise DataError(f"`data_dir` must be a folder, got {data_dir}")
    return pathlib.Path(data_dir)


SYSTEM = ("__MACOSX", "@eaDir", "lost+found")  # left by archives and disks


def entries(folder: pathlib.Path) -> list[os.DirEntry]:
    """What a folder holds, sorted, without what is hidden or the system's."""
    return [entry for entry in _all(folder) if not _hidden(entry)]


def hidden_folders(folder: pathlib.Path) -> list[str]:
    """Names of the folders in a folder that `entries` leaves out."""
    found = _all(folder)
    return [e.name for e in found if _hidden(e) and e.is_dir()]


def _hidden(entry):
    return entry.name.startswith(".") or entry.name in SYSTEM


def _all(folder):
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f"`data_dir`: {folder} cannot be read: {error}"
        ) from error


def check_inside(
    listed: pathlib.Path, names: Sequence[str], allowed: bool
) -> None:
    """Raise if a name leads out of the folder that it is below.

    Args:
        listed: File that lists them, in that folder.
        names: Of files.
        allowed: Whether they may.
    """
    for name in () if allowed else names:
        if os.path.isabs(name) or os.path.normpath(name).startswith(".."):
            raise DataError(
                f"`data_dir`: {listed} names {name!r:.80}, which is not below "
                f"{listed.parent}; --allow_outside permits it"
            )


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
