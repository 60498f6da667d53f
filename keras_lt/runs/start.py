"""Where a run takes its first weights from."""

import dataclasses
import hashlib
import pathlib
from typing import Any

from keras_lt.models import load_encoder_weights
from keras_lt.runs import weight_files
from keras_lt.runs.config import RunConfig
from keras_lt.runs.folder import RunFolder
from keras_lt.training import Recipe


@dataclasses.dataclass(frozen=True)
class Start:
    """The first stage to train, and the file of the weights before it.

    Args:
        stage: Name of the stage.
        file: A Keras model, a stage's weights, or weights of an encoder.
        elsewhere: Whether they were trained elsewhere: only an encoder's.
    """

    stage: str
    file: pathlib.Path
    elsewhere: bool

    def source(self, verbose: bool) -> tuple[str, Any]:
        """What `training.run` takes as `start`.

        Args:
            verbose: Whether to print which experts stay as they are.
        """
        if self.elsewhere:
            weights = weight_files.read(self.file)
            return self.stage, lambda model: _load(model, weights, verbose)
        if self.file.suffix == ".keras":
            return self.stage, RunFolder(self.file.parent).model()
        return self.stage, self.file


def find_start(config: RunConfig, recipe: Recipe) -> Start | None:
    """Where a run starts; None for new weights.

    In the folder of another run, the weights from just before the stage go
    before the ones of its end.
    """
    if not config.init_from:
        return None
    names = [stage.name for stage in recipe.stages]
    stage, path = config.from_stage or names[0], pathlib.Path(config.init_from)
    if path.is_file():
        return Start(stage, path, elsewhere=True)
    folder, file = RunFolder(path), None
    if stage in names[1:]:
        file = folder.find_weights(names[names.index(stage) - 1])
    return Start(stage, file or folder.model_file, elsewhere=False)


def hash_of_file(path: pathlib.Path) -> str:
    """SHA-256 of what a file of weights holds."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load(model, weights, verbose):
    """Give a model's encoder the weights of a file."""
    fresh = load_encoder_weights(model, weights)
    if fresh and verbose:
        print(f"not of its shapes, and new: {', '.join(fresh)}")
