"""The folder of a run: the one place that knows the names of its files.

Importing this does not bring Keras.
"""

import dataclasses
import json
import pathlib
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keras_lt.atomic import make_durable, replacing, write_atomically
from keras_lt.runs.config import RunConfig
from keras_lt.workdir import Workdir

if TYPE_CHECKING:
    import keras

EXPORTS = {
    "saved_model": "saved_model",
    "onnx": "model.onnx",
    "litert": "model.tflite",
    "keras": "model.keras",
}


class RunFolder(Workdir):
    """Configuration, result and model of a run, beside what training keeps.

    Reads also the folders of version 0.1.0. None of it needs the data set.

    Args:
        path: Of the folder; it may be missing.

    Example:
        >>> RunFolder("runs/digits_lt-50-wb-seed0").model_file.name
        'model.keras'
    """

    @property
    def config_file(self) -> pathlib.Path:
        """File with the configuration."""
        return self.path / "config.json"

    @property
    def result_file(self) -> pathlib.Path:
        """File with the result; it makes a run complete."""
        return self.path / "result.json"

    @property
    def model_file(self) -> pathlib.Path:
        """File with the model that is served."""
        return self.path / "model.keras"

    @property
    def answers(self) -> pathlib.Path:
        """File with what the model says of the test images, for a report."""
        return self.path / "answers.npz"

    @property
    def plots(self) -> pathlib.Path:
        """Folder of plots."""
        return self.path / "plots"

    def tensorboard(self, stage: str) -> pathlib.Path:
        """Folder of a stage's TensorBoard events."""
        return self.path / "tensorboard" / stage

    def export(self, format: str) -> pathlib.Path:
        """Where an artefact of a format goes."""
        return self.path / "export" / EXPORTS[format]

    def config(self) -> RunConfig:
        """Read the configuration.

        Raises:
            ValueError: if it is missing or damaged.
        """
        content = self._read(self.config_file)
        try:
            return RunConfig.from_json(content["identity"], content["data_dir"])
        except (KeyError, TypeError) as error:
            raise self._damaged(error) from error

    def result(self) -> dict[str, Any]:
        """Read the result.

        Raises:
            ValueError: if it is missing or damaged.
        """
        return self._read(self.result_file)

    def model(self) -> "keras.Model":
        """Load the model that is served, on the present backend.

        Raises:
            ValueError: if it is missing or damaged.
        """
        import keras

        self._check(self.model_file)
        try:
            return keras.saving.load_model(self.model_file, compile=False)
        except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{self.model_file} is damaged: {error}"
            ) from error

    def epochs(self) -> list[dict[str, Any]]:
        """Metrics of every epoch so far, with the name of its stage."""
        if not self.metrics.exists():
            return []
        lines = self.metrics.read_text().splitlines()
        return [json.loads(line) for line in lines]

    def check_free(
        self, config: RunConfig, resume: bool, defaults: Mapping[str, Any]
    ) -> None:
        """Check that the folder is free, or holds a run of this configuration.

        Args:
            config: Of the run that wants it.
            resume: Whether going on with an earlier run is welcome.
            defaults: Of hyperparameters that a run of an earlier version, in
                which they had no name, does not know.

        Raises:
            ValueError: if it holds another run, naming the first difference,
                or any run where `resume` is off.
        """
        if not self.config_file.exists():
            if self.path.exists() and any(self.path.iterdir()):
                raise ValueError(
                    f"--workdir: {self.path} is not empty and holds no run"
                )
            return
        if not resume:
            raise ValueError(
                f"--workdir: {self.path} holds a run already; choose another "
                "folder, or go on with it by --resume"
            )
        own = self.config()
        known = {**defaults, **own.hyperparameters}
        own = dataclasses.replace(own, hyperparameters=known)
        if found := config.difference(own):
            name, here, there = found
            raise ValueError(
                f"--workdir: {self.path} holds a run of a different "
                f"configuration: {name} is {there!r} there, {here!r} here"
            )

    def begin(self, config: RunConfig, **about: Any) -> None:
        """Write the configuration, with what else is to be known of the run."""
        content = {"identity": config.to_json(), **about}
        self._write(self.config_file, content)

    def save_model(self, model: "keras.Model") -> None:
        """Write the model that is served, without an optimizer."""
        from keras_lt.keras_internals import without_tensorflow
        from keras_lt.training import without_optimizer

        with replacing(self.model_file) as aside, without_tensorflow():
            without_optimizer(model).save(aside)

    def finish(self, result: dict[str, Any]) -> None:
        """Write the result; the run is complete then."""
        if self.metrics.exists():
            make_durable(self.metrics)
        self._write(self.result_file, result)
        self.checkpoint.unlink(missing_ok=True)

    def _write(self, path, content):
        text = json.dumps(content, indent=2) + "\n"
        write_atomically(path, text.encode())

    def _check(self, path):
        if not path.exists():
            raise ValueError(f"{path} is missing")

    def _read(self, path):
        self._check(path)
        try:
            return json.loads(path.read_text())
        except ValueError as error:
            raise self._damaged(error) from error

    def _damaged(self, error):
        return ValueError(f"{self.path} holds no run: {error!r}")
