"""State dicts of PyTorch before 1.6, read without PyTorch."""

import collections
import pathlib
import pickle
from typing import Any, BinaryIO

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


def read_old_state(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Arrays by name in a file as PyTorch wrote them before version 1.6.

    Nothing that the file names is imported or called but what rebuilds
    tensors, and that is replaced.

    Raises:
        ValueError: if the file is another one, or is cut off.
    """
    with path.open("rb") as file:
        if _Reader(file).load() != MAGIC:
            raise ValueError(f"{path} is no file of PyTorch before 1.6")
        for _ in ("protocol", "system"):
            _Reader(file).load()
        reader = _Reader(file)
        state = reader.load()
        flat = dict.fromkeys(_Reader(file).load())
        for key in flat:
            if key not in reader.types:
                raise ValueError(f"{path} names no storage {key!r}")
            flat[key] = _values(file, np.dtype(reader.types[key]))
    return {name: _array(found, flat) for name, found in state.items()}


class _Reader(pickle.Unpickler):
    """Keeps how tensors lie in storages, and no objects."""

    def __init__(self, file: BinaryIO):
        super().__init__(file)
        self.types: dict[str, str] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What stands for the few things that a state dict needs."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _kept
        if module == "torch" and name in TYPES:
            return TYPES[name]
        raise ValueError(f"a state dict does not need {module}.{name}")

    def persistent_load(self, pid: Any) -> str:
        """Key of a storage, whose type is remembered."""
        _, kind, key, *_ = pid
        self.types[key] = kind
        return key


def _kept(key, start, shape, strides, *rest):
    return key, start, shape, strides


def _values(file, dtype):
    size = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(size * dtype.itemsize), dtype, size)


def _array(found, flat):
    key, start, shape, strides = found
    ends = [(n - 1) * step for n, step in zip(shape, strides, strict=True)]
    values = flat[key]
    if min(start, *strides, 0) < 0 or start + sum(ends) >= max(len(values), 1):
        raise ValueError("a tensor reaches out of its storage")
    size = values.itemsize
    return np.lib.stride_tricks.as_strided(
        values[start:], shape, [size * step for step in strides]
    )
