"""Runs: from options to a folder with a trained model and its result.

Importing it brings neither Keras nor a backend.
"""

from typing import TYPE_CHECKING, Any

from keras_lt.runs.config import RunConfig
from keras_lt.runs.folder import RunFolder

if TYPE_CHECKING:
    from keras_lt.runs.from_python import train

__all__ = ["RunConfig", "RunFolder", "train"]


def __getattr__(name: str) -> Any:
    if name == "train":  # which imports Keras
        from keras_lt.runs.from_python import train

        return train
    raise AttributeError(f"module 'keras_lt.runs' has no attribute {name!r}")
