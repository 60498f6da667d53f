"""Arrays by name in a file, numpy's `.npz`, and what such a file may cost.

What is read may come from anybody: no code of a file runs, and its size is
known before anything is unpacked.
"""

import io
import lzma
import math
import os
import pathlib
import stat
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO

import numpy as np

from keras_lt.atomic import replacing

FREE = 2**28  # bytes that any archive may unpack to
RATIO = 100  # times its own size, for a larger one
BROKEN = (
    *(ValueError, EOFError, OSError, KeyError, RuntimeError, SyntaxError),
    *(NotImplementedError, OverflowError, MemoryError, RecursionError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    tokenize.TokenError,  # of a header
)


class DamagedFile(ValueError):
    """A file of a run that is cut off, emptied, or something else."""


def write_arrays(
    path: pathlib.Path,
    arrays: Mapping[str, np.ndarray],
    before: pathlib.Path | None = None,
) -> None:
    """Write arrays by name as numpy's `.npz`, whole or not at all.

    `numpy.savez` takes some names for arguments of its own.

    Args:
        path: Of the file.
        arrays: By name.
        before: See `atomic.move`.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                array = np.asanyarray(array)
                np.lib.format.write_array(file, array, allow_pickle=False)
    with replacing(path, before) as aside:
        aside.write_bytes(buffer.getbuffer())


def read_arrays(path: pathlib.Path, *names: str) -> dict[str, np.ndarray]:
    """Read what `write_arrays`, or `numpy.savez`, wrote, in its order.

    Args:
        path: Of the file.
        *names: Arrays to read; without any, all.

    Raises:
        DamagedFile: naming it, if it is no such file, or cut off.
    """
    arrays = {}
    try:
        check_regular(path)
        with zipfile.ZipFile(path) as archive:
            _measure(archive, path)
            for entry in archive.infolist():
                name = entry.filename.removesuffix(".npy")
                if names and name not in names:
                    continue
                with archive.open(entry) as file:
                    arrays[name] = _read_array(file, entry.file_size)
    except FileNotFoundError:
        raise
    except BROKEN as error:
        raise DamagedFile(
            f"{path} is no file of arrays by name, or cut off: "
            f"{reason_of(error)}"
        ) from error
    return arrays


def check_archive(path: pathlib.Path) -> None:
    """Check what a zip archive would unpack to.

    Args:
        path: Of the archive, such as a Keras model.

    Raises:
        DamagedFile: naming it, if it is no archive or would unpack to far
            more than it is.
    """
    try:
        check_regular(path)
        with zipfile.ZipFile(path) as archive:
            _measure(archive, path)
    except BROKEN as error:
        raise DamagedFile(
            f"{path} is no archive, or cut off: {reason_of(error)}"
        ) from error


def check_regular(path: str | os.PathLike) -> None:
    """Check that a path is a file: opening a pipe or a device may never end.

    Raises:
        OSError: if it is missing.
        ValueError: if it is something else.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError(f"{path} is no regular file")


def reason_of(error: BaseException) -> str:
    """What an error says, in one line; its kind, if it says nothing."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _measure(archive, path):
    size = sum(entry.file_size for entry in archive.infolist())
    allowed = max(FREE, RATIO * os.path.getsize(path))
    if size > allowed:
        raise ValueError(
            f"it would unpack to {size:,} bytes, more than {allowed:,}"
        )


def _read_array(file: IO[bytes], size: int) -> np.ndarray:
    """Read an array whose header may claim any size."""
    start = io.BytesIO(file.read(10))
    version = np.lib.format.read_magic(start)
    length = struct.unpack("<H", start.read(2))[0]
    if version != (1, 0):
        raise ValueError(f"arrays of version {version} are not read")
    header = io.BytesIO(struct.pack("<H", length) + file.read(length))
    shape, in_columns, dtype = np.lib.format.read_array_header_1_0(header)
    if dtype.hasobject:
        raise ValueError("it holds objects of Python")
    count = math.prod(shape)
    if size != 10 + length + count * dtype.itemsize:
        raise ValueError(f"an array {shape} of {dtype} is not {size:,} bytes")
    content = bytearray(file.read())  # to its end, where its checksum is
    array = np.ndarray(count, dtype, content)
    return array.reshape(shape, order="F" if in_columns else "C")
