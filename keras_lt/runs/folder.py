"""The folder of a run, the one place that knows its files; without Keras."""

import contextlib
import dataclasses
import json
import pathlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from keras_lt import atomic
from keras_lt.array_files import DamagedFile, check_archive, reason_of
from keras_lt.json_files import read_json, write_json
from keras_lt.runs.config import RunConfig
from keras_lt.runs.lock import Locked, held_by, locked
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
    def lock_file(self) -> pathlib.Path:
        """File of the process that works on the run."""
        return self.path / "run.lock"

    @property
    def speed_file(self) -> pathlib.Path:
        """File of what the device does in a second, see `speed`."""
        return self.path / "speed.json"

    @property
    def plots(self) -> pathlib.Path:
        """Folder of plots."""
        return self.path / "plots"

    @property
    def tuning(self) -> pathlib.Path:
        """Folder of the study that found hyperparameters, and its trials."""
        return self.path / "tuning"

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
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._damaged(self.config_file, error) from error

    def result(self, needed: Collection[str] = ()) -> dict[str, Any]:
        """Read the result; ValueError if it or a `needed` entry is missing."""
        found = self._read(self.result_file)
        if missing := {*needed} - found.keys():
            error = ValueError(f"it lacks {sorted(missing)}")
            raise self._damaged(self.result_file, error)
        return found

    def model(self) -> "keras.Model":
        """Load the model that is served, on the present backend.

        Raises:
            ValueError: if it is missing or damaged.
        """
        import keras

        self._check(self.model_file)
        try:
            check_archive(self.model_file)
            return keras.saving.load_model(self.model_file, compile=False)
        except Exception as error:  # a strange file raises any kind
            raise self._damaged(self.model_file, error) from error

    def epochs(self) -> list[dict[str, Any]]:
        """Metrics of every whole epoch so far, with the name of its stage."""
        if not self.metrics.exists():
            return []
        found = []
        for text in self.metrics.read_text(errors="replace").splitlines():
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(line, dict) and {"stage", "epoch"} <= line.keys():
                found.append(line)
        return found

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
        if not self.result_file.exists() and self.path.is_dir():
            if holder := held_by(self.lock_file):
                raise Locked(f"--workdir: {self.path} is in use by {holder}")
        if not self.config_file.exists():
            if self.path.exists() and not self._holds_leftovers():
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

    def _holds_leftovers(self):
        """Whether all there is is a study, or left of a write that ended."""
        own = (self.lock_file, self.speed_file, self.tuning)
        return self.path.is_dir() and all(
            path in own or atomic.is_partial(path)
            for path in self.path.iterdir()
        )

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Keep other processes from the folder while the context is open."""
        return locked(self.lock_file, f"--workdir: {self.path}")

    def begin(
        self, config: RunConfig, start: Mapping[str, Any], **about: Any
    ) -> list[str]:
        """Write the configuration, with what else is to be known of the run.

        Args:
            config: Of the run.
            start: What this process runs on, of `provenance.surroundings`;
                all starts of a run are kept.
            **about: Other entries.

        Returns:
            What differs from the start before, in words.
        """
        atomic.remove_partial(self.path)
        starts = []
        if self.config_file.exists():
            starts = self._read(self.config_file).get("starts", [])
        before = dict(starts[-1]) if starts else dict(start)
        if not starts or before != start:
            starts = [*starts, dict(start)]
        content = {"identity": config.to_json(), **about, "starts": starts}
        write_json(self.config_file, content)
        return [
            f"{name} {before.get(name)} then, {start.get(name)} now"
            for name in sorted(before.keys() | start.keys())
            if before.get(name) != start.get(name)
        ]

    def save_model(self, model: "keras.Model") -> None:
        """Write the model that is served, without an optimizer."""
        from keras_lt.keras_internals import without_tensorflow
        from keras_lt.training import without_optimizer

        with atomic.replacing(self.model_file) as aside, without_tensorflow():
            without_optimizer(model).save(aside)

    def finish(self, result: dict[str, Any]) -> None:
        """Write the result; the run is complete then."""
        if self.metrics.exists():
            atomic.make_durable(self.metrics)
        write_json(self.result_file, result)
        self.checkpoint.unlink(missing_ok=True)
        self.checkpoint_before.unlink(missing_ok=True)

    def _check(self, path):
        if not path.exists():
            raise ValueError(f"{path} is missing: is {self.path} a run?")

    def _read(self, path):
        self._check(path)
        try:
            return read_json(path)
        except (ValueError, OSError) as error:
            raise self._damaged(path, error) from error

    def _damaged(self, path, error):
        return DamagedFile(
            f"{path} is damaged: {reason_of(error)}; remove {self.path} and "
            "train again"
        )
