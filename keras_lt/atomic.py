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
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Name a file to write, which takes the place of another at the end.

    A power cut or a kill leaves the old file or the new one; so does an error
    in the context the old one.

    Args:
        path: Of the file; its folder is made if it is missing.

    Yields:
        Where to write: beside it, with the same ending, and a name that
        nobody can foresee, so that no link lies there.
    """
    make_folder(path.parent)
    token = secrets.token_hex(8)
    aside = path.with_name(f"{path.stem}.{token}.partial{path.suffix}")
    try:
        yield aside
        move(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def move(written: pathlib.Path, path: pathlib.Path) -> None:
    """Give what was written its name, when it is on the disk.

    Args:
        written: A file, or a folder of them, on the same file system.
        path: Its name; a file there is replaced.
    """
    for part in (*written.rglob("*"), written):
        make_durable(part)
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


def remove_partial(folder: pathlib.Path) -> None:
    """Remove what a kill left of files that were being written.

    Args:
        folder: With what is below it; it may be missing.
    """
    for pattern in PARTIAL:
        for path in folder.rglob(pattern):
            path.unlink(missing_ok=True)
