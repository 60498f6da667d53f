"""Files that are whole or absent, also after a kill or a power cut."""

import contextlib
import errno
import os
import pathlib
import secrets
from collections.abc import Iterator

NO_SYNC = (errno.EINVAL, errno.ENOTSUP)  # of folders, on some file systems
PARTIAL = ("*.partial", "*.partial.*", "partial.keras")


@contextlib.contextmanager
def replacing(
    path: pathlib.Path, before: pathlib.Path | None = None
) -> Iterator[pathlib.Path]:
    """Name a file to write, which takes the place of another at the end.

    A power cut or a kill leaves the old file or the new one; so does an error
    in the context the old one.

    Args:
        path: Of the file; its folder is made if it is missing.
        before: See `move`.

    Yields:
        Where to write: beside it, with the same ending, and a name that
        nobody can foresee, so that no link lies there.
    """
    make_folder(path.parent)
    token = secrets.token_hex(8)
    aside = path.with_name(f"{path.stem}.{token}.partial{path.suffix}")
    try:
        yield aside
        move(aside, path, before)
    finally:
        aside.unlink(missing_ok=True)


def move(
    written: pathlib.Path,
    path: pathlib.Path,
    before: pathlib.Path | None = None,
) -> None:
    """Give what was written its name, when it is on the disk.

    Args:
        written: A file, or a folder of them, on the same file system.
        path: Its name; a file there is replaced.
        before: Name that the replaced file gets, if it is to be kept; between
            the two, this one is there alone.
    """
    for part in (*written.rglob("*"), written):
        make_durable(part)
    if before is not None and path.exists():
        os.replace(path, before)
    os.replace(written, path)
    make_durable(path.parent)


def write_atomically(path: pathlib.Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    with replacing(path) as aside:
        aside.write_bytes(content)


def make_folder(path: pathlib.Path) -> None:
    """Make a folder, and those above it, that a power cut does not undo."""
    missing = [part for part in (path, *path.parents) if not part.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for part in missing:
        make_durable(part.parent)


def make_durable(path: pathlib.Path) -> None:
    """Bring to the disk what a file or a folder has."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not path.is_dir() or error.errno not in NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def is_partial(path: pathlib.Path) -> bool:
    """Whether a file was being written when its process was killed."""
    return any(path.match(pattern) for pattern in PARTIAL)


def remove_partial(folder: pathlib.Path) -> None:
    """Remove what a kill left of files that were being written.

    Args:
        folder: With what is below it; it may be missing.
    """
    for pattern in PARTIAL:
        for path in folder.rglob(pattern):
            path.unlink(missing_ok=True)
