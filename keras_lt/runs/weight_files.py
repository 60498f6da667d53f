"""Files of weights that were trained elsewhere."""

import pathlib
import zipfile
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_lt.array_files import check_archive, check_regular, read_arrays

State = Mapping[str, np.ndarray]
STATE = "state_dict"  # in a dict with what else was kept of a training


def read(path: pathlib.Path) -> keras.Model | dict[str, np.ndarray]:
    """Read a Keras model, or the arrays of a PyTorch state dict by name.

    No code of a file runs.

    Args:
        path: Of a Keras model, `.keras`, or of a state dict: `.npz`,
            `.safetensors`, or, if PyTorch is installed, `.pth`, `.pt`, `.tar`
            or `.paramOnly`; there it may be an entry "state_dict".

    Raises:
        ValueError: if the file is none of these, or cannot be read.
    """
    readers = {".keras": _read_keras, **READERS}
    return _checked(path, readers, "--init_from", "a folder or a file")


def read_state(
    path: pathlib.Path, flag: str
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read a state dict, and say what else is in the file.

    Args:
        path: As for `read`, but for `.keras`.
        flag: Names the file in errors.

    Returns:
        Arrays by name, and the names of what lies beside the state dict: of
        an optimizer, an epoch, ...

    Raises:
        ValueError: if the file is no state dict, or cannot be read.
    """
    beside: list[str] = []
    readers = {k: lambda path, r=r: r(path, beside) for k, r in READERS.items()}
    return _checked(path, readers, flag, "a file"), beside


def _checked(path, readers, flag, expected):
    """Read; whatever is wrong is a `ValueError`."""
    if path.suffix not in readers:
        raise ValueError(
            f"{flag} must be {expected} {', '.join(readers)}, got {path}"
        )
    try:
        if path.exists():
            check_regular(path)
        return readers[path.suffix](path)
    except ModuleNotFoundError as error:
        if error.name == "torch":
            hint = (
                "or convert the file elsewhere: numpy.savez('weights.npz', "
                "**{name: value.numpy() for name, value in torch.load(FILE, "
                "weights_only=True, map_location='cpu').items()})"
            )
        else:
            hint = "or give an .npz"
        raise ValueError(
            f"{flag}: {path} needs the package {error.name}: install it, {hint}"
        ) from error
    except Exception as error:  # theirs have no common base class
        reason = str(error).strip().split("\n")[0].split(". ")[0]
        raise ValueError(f"{flag}: {path} cannot be read: {reason}") from error


def _read_keras(path):
    check_archive(path)
    return keras.saving.load_model(path, compile=False)


def _read_npz(path, beside=None):
    return read_arrays(path)


def _read_safetensors(path, beside=None):
    from safetensors.numpy import load_file

    return load_file(path)


def _read_torch(path, beside=None):
    import torch

    if zipfile.is_zipfile(path):
        check_archive(path)
    with torch.serialization.safe_globals(_stand_ins(path)):
        state = torch.load(path, weights_only=True, map_location="cpu")
    if isinstance(state, Mapping) and isinstance(state.get(STATE), Mapping):
        if beside is not None:
            beside += [str(name) for name in state if name != STATE]
        state = state[STATE]
    if not isinstance(state, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in state.values()
    ):
        raise ValueError("it holds no state dict, a tensor for each name")
    if not state:
        raise ValueError("it holds no state dict, but an empty one")
    return {
        name: value.detach().float().numpy() for name, value in state.items()
    }


READERS = {
    ".npz": _read_npz,
    ".safetensors": _read_safetensors,
    ".pth": _read_torch,
    ".pt": _read_torch,
    ".tar": _read_torch,
    ".paramOnly": _read_torch,
}


class _Nothing:
    """In place of an object of a class that is not PyTorch's own."""

    def __new__(cls, *arguments: Any) -> "_Nothing":
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        """Keep none of it."""


def _stand_ins(path):
    """Empty classes for those of a configuration beside a state dict.

    PyTorch refuses a whole file with one, and never imports what is named.
    """
    from torch import serialization

    try:
        names = serialization.get_unsafe_globals_in_checkpoint(path)
    except ValueError:  # a file as PyTorch wrote them before 1.6
        return []
    return [(type("Nothing", (_Nothing,), {}), name) for name in names]
