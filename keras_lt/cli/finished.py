"""A finished run, on the backend that it is to be used with."""

from keras_lt.cli.backends import set_backend
from keras_lt.runs.config import RunConfig
from keras_lt.runs.folder import RunFolder

NEEDED = ("method", "accuracy", "class_names", "class_counts", "flip_tta")


def open_run(path: str, backend: str | None) -> tuple[RunFolder, RunConfig]:
    """Open the folder of a finished run, and choose the Keras backend.

    Args:
        path: Of the folder.
        backend: In place of the run's own.

    Raises:
        ValueError: if the run is not finished, or a file is damaged.
    """
    folder = RunFolder(path)
    config = folder.config()
    folder.result(NEEDED)  # which says that it is finished
    set_backend(backend or config.backend)
    return folder, config
