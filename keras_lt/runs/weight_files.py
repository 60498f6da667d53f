"""Files of weights that were trained elsewhere."""

import pathlib

import keras
import numpy as np


def read(path: pathlib.Path) -> keras.Model | dict[str, np.ndarray]:
    """Read a Keras model, or the arrays of a PyTorch state dict by name.

    No code of a file runs.

    Args:
        path: Of a Keras model, `.keras`, or of a state dict: `.npz`,
            `.safetensors`, or, if PyTorch is installed, `.pth` or `.pt`.

    Raises:
        ValueError: if the file is none of these, or cannot be read.
    """
    readers = {
        ".keras": lambda path: keras.saving.load_model(path, compile=False),
        ".npz": _read_npz,
        ".safetensors": _read_safetensors,
        ".pth": _read_torch,
        ".pt": _read_torch,
    }
    if path.suffix not in readers:
        raise ValueError(
            f"--init_from must be a folder or a file {', '.join(readers)}, got "
            f"{path}"
        )
    try:
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
            f"--init_from: {path} needs the package {error.name}: install it, "
            f"{hint}"
        ) from error
    except Exception as error:  # theirs have no common base class
        reason = str(error).strip().split("\n")[0].split(". ")[0]
        raise ValueError(
            f"--init_from: {path} cannot be read: {reason}"
        ) from error


def _read_npz(path):
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def _read_safetensors(path):
    from safetensors.numpy import load_file

    return load_file(path)


def _read_torch(path):
    import torch

    state = torch.load(path, weights_only=True, map_location="cpu")
    if not isinstance(state, dict) or not all(
        isinstance(value, torch.Tensor) for value in state.values()
    ):
        raise ValueError("it holds no state dict, a tensor for each name")
    return {
        name: value.detach().float().numpy() for name, value in state.items()
    }
