"""Files that are whole or absent."""

import io
import os
import pathlib
from collections.abc import Mapping
from typing import Any

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
    """Write arrays by name as numpy's `.npz`, whole or not at all."""
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez(buffer, **named)
    write_atomically(path, buffer.getvalue())
