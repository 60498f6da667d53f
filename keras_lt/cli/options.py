"""Flags that several programs share."""

import dataclasses

from keras_lt.runs.flags import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunAgain:
    """Whence a finished run gets its data and backend."""

    data_dir: str | None = option(
        None, "Folder with the data. Default: the run's own."
    )
    backend: str | None = option(
        None, "tensorflow or jax. Default: the run's own."
    )
