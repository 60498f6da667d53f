"""What only private names of Keras can do; tests say when one has changed."""

import contextlib
import sys
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def without_tensorflow() -> Iterator[None]:
    """Spare Keras, on JAX, to import a TensorFlow that nobody uses.

    Wherever TensorFlow is installed, Keras imports it, which takes seconds, to
    give it a seed, and to ask what it saves whether it is of TensorFlow. If
    nothing has imported TensorFlow yet, nothing is.
    """
    if keras.backend.backend() != "jax" or "tensorflow" in sys.modules:
        yield
        return
    from keras.src.utils.module_utils import tensorflow

    before = tensorflow._available
    tensorflow._available = False
    try:
        yield
    finally:
        tensorflow._available = before


def set_random_seed(seed: int) -> None:
    """Do what `keras.utils.set_random_seed` does, without TensorFlow on JAX.

    TensorFlow gets the seed too if it is the backend, or loaded;
    `data.Loader` gives it one where it makes batches.

    Args:
        seed: Of Python's, numpy's and Keras's generators.
    """
    with without_tensorflow():
        keras.utils.set_random_seed(seed)
