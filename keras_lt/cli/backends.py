"""The choice of a Keras backend, before Keras is imported."""

import importlib.util
import logging
import os

from keras_lt.cli.quiet import quiet_tensorflow
from keras_lt.compilation_cache import use_compilation_cache
from keras_lt.cpu import tune_cpu

BACKENDS = ("tensorflow", "jax")


def set_backend(wanted: str | None, *, small_steps: bool = False) -> None:
    """Choose the Keras backend and its kernels, before Keras is imported.

    Args:
        wanted: Its name, or None for what is set or installed.
        small_steps: See `keras_lt.tune_cpu`.

    Raises:
        ValueError: if the backend is unknown or not installed.
    """
    wanted = wanted or os.environ.get("KERAS_BACKEND")
    installed = [b for b in BACKENDS if importlib.util.find_spec(b)]
    if wanted is None:
        wanted = installed[0] if installed else BACKENDS[0]
    if wanted not in BACKENDS:
        raise ValueError(f"--backend must be one of {BACKENDS}, got {wanted!r}")
    if wanted not in installed:
        raise ValueError(
            f"--backend: {wanted} is not installed; pip install "
            f"'keras_lt[{wanted}]' brings it"
        )
    os.environ["KERAS_BACKEND"] = wanted
    tune_cpu(small_steps=small_steps)
    logging.getLogger("tensorflow").setLevel("ERROR")
    quiet_tensorflow()
    if wanted == "jax":
        use_compilation_cache()
