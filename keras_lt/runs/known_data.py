"""Names of data sets, and the size of images on disk."""

import os
from collections.abc import Collection

from keras_lt.domains import shown
from keras_lt.hyperparameters import nearest

IMAGE_SIZE = 224  # pixels of a side, where nothing else is asked for


def check_dataset(name: str, known: Collection[str]) -> None:
    """Check the name of a data set.

    Args:
        name: That was asked for.
        known: All that there are.

    Raises:
        ValueError: if there is none of that name; of a path, with the flags
            that take it.
    """
    if name in known:
        return
    if os.path.exists(name):
        kind = "folder" if os.path.isdir(name) else "csv"
        raise ValueError(
            f"--dataset: {shown(name)} is a path; for your own images take "
            f"--dataset={kind} --data_dir={name}"
        )
    raise ValueError(
        f"--dataset: no data set {shown(name)}{nearest(name, known)}"
    )
