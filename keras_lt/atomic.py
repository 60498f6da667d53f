"""Files that are whole or absent."""

import io
import os
import pathlib
import zipfile
from collections.abc import Mapping

import numpy as np


def write_atomically(path: pathlib.Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def write_arrays(path: pathlib.Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name as numpy's `.npz`, whole or not at all.

    `numpy.savez` takes some names for arguments of its own.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                array = np.asanyarray(array)
                np.lib.format.write_array(file, array, allow_pickle=False)
    write_atomically(path, buffer.getvalue())


def read_arrays(path: pathlib.Path, *names: str) -> dict[str, np.ndarray]:
    """Read what `write_arrays` wrote, in its order.

    Args:
        path: Of the file.
        *names: Arrays to read; without any, all.

    Raises:
        ValueError: naming the file, if it is no such file, or cut off.
    """
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.namelist():
                name = entry.removesuffix(".npy")
                if names and name not in names:
                    continue
                with archive.open(entry) as file:
                    arrays[name] = np.lib.format.read_array(file)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is no file of arrays by name, or cut off: {error}"
        ) from error
    return arrays
