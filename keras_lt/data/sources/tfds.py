"""TensorFlow Datasets, where it is installed and works."""

from collections.abc import Callable
from typing import Any

from keras_lt.image_reader import DataError


def from_tfds(name: str, advice: str, get: Callable[[Any], Any]) -> Any:
    """Get something from TensorFlow Datasets.

    Args:
        name: Of the data set, for messages.
        advice: What else one can do, for messages.
        get: Function from the module `tensorflow_datasets` to what is wanted.

    Raises:
        DataError: if it does not import, or `get` fails.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise DataError(
            f"{name} needs tensorflow-datasets (the extra `datasets`), which "
            f"does not import ({error}); or {advice}"
        ) from error
    try:
        return get(tfds)
    except Exception as error:  # its errors have no common base class
        reason = str(error).strip().split("\n")[0][:200]
        raise DataError(
            f"{name}: tensorflow-datasets could not get it ({reason}); {advice}"
        ) from error
