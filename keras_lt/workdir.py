"""Names of the files that training keeps in a folder."""

import os
import pathlib
from collections.abc import Iterable


class Workdir:
    """The folder of a run, as `training.run` uses it.

    Args:
        path: Of the folder; it may be missing.

    Attributes:
        path: The same.
        checkpoint: File with the newest variables.
        checkpoint_before: The checkpoint that was the newest before.
        divergences: File that says where the run has diverged, if it has.
        features: File with what an encoder makes of the images.
        metrics: File with one line an epoch.
        soft_labels: File with what a teacher says of the training images.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = pathlib.Path(path)
        self.checkpoint = self.path / "checkpoint.npz"
        self.checkpoint_before = self.path / "checkpoint-before.npz"
        self.divergences = self.path / "divergences.json"
        self.features = self.path / "stages" / "features.npz"
        self.metrics = self.path / "metrics.jsonl"
        self.soft_labels = self.path / "stages" / "soft_labels.npz"

    def weights(self, index: int, stage: str) -> pathlib.Path:
        """File with the model's weights at the end of a stage."""
        return self.path / "stages" / f"{index}-{stage}.npz"

    def find_weights(self, stage: str) -> pathlib.Path | None:
        """The same by the stage's name alone; None if there is none yet."""
        found = self.path.glob(f"stages/*-{stage}.npz")
        return next(iter(found), None)

    def forget(self, stages: Iterable[str]) -> None:
        """Remove weights of stages that nothing goes on from."""
        for path in filter(None, map(self.find_weights, stages)):
            path.unlink()
