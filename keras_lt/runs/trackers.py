"""Trackers of experiments: MLflow, and Weights & Biases.

They see what a run leaves in its folder as well: its configuration, metrics of
every epoch, and accuracies at the end. Where they keep it is theirs to say
(`MLFLOW_TRACKING_URI`, `WANDB_MODE=offline`).
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import keras

PROJECT = "keras_lt"


class Tracker(Protocol):
    """Where metrics go."""

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keep values of a step."""

    def end(self, failed: bool) -> None:
        """Close the run."""


class MLflow:
    """A run of MLflow, apart from the one that is active elsewhere.

    Args:
        name: Of the run.
        parameters: Its configuration.
    """

    def __init__(self, name: str, parameters: Mapping[str, Any]):
        import mlflow

        self.client = mlflow.MlflowClient()
        found = self.client.get_experiment_by_name(PROJECT)
        experiment = (
            self.client.create_experiment(PROJECT)
            if found is None
            else found.experiment_id
        )
        run = self.client.create_run(experiment, run_name=name)
        self.run = run.info.run_id
        for key, value in parameters.items():
            self.client.log_param(self.run, key, value)

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keep values of a step."""
        for key, value in values.items():
            self.client.log_metric(self.run, key, value, step=step)

    def end(self, failed: bool) -> None:
        """Close the run."""
        status = "FAILED" if failed else "FINISHED"
        self.client.set_terminated(self.run, status)


class WeightsAndBiases:
    """A run of Weights & Biases.

    Args:
        name: Of the run.
        parameters: Its configuration.
    """

    def __init__(self, name: str, parameters: Mapping[str, Any]):
        import wandb

        self.run = wandb.init(
            project=PROJECT,
            name=name,
            config=dict(parameters),
            reinit="create_new",  # several train side by side
        )

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keep values of a step."""
        self.run.log(dict(values), step=step)

    def end(self, failed: bool) -> None:
        """Close the run."""
        self.run.finish(exit_code=int(failed))


# By the name of the flag, which is that of the package and of the extra.
KINDS: dict[str, Any] = {"mlflow": MLflow, "wandb": WeightsAndBiases}


def wanted_by(manner: Any) -> list[str]:
    """Flags of the trackers that are wanted, of `options.Manner`."""
    return [flag for flag in KINDS if getattr(manner, flag)]


class Track(keras.callbacks.Callback):
    """Pass metrics of epochs on to a tracker.

    Args:
        tracker: Where to.
        first: Epochs of the stages before this one.
    """

    def __init__(self, tracker: Tracker, first: int = 0):
        super().__init__()
        self.tracker = tracker
        self.first = first

    def on_epoch_end(self, epoch, logs=None):
        """Pass them on."""
        values = {name: float(value) for name, value in (logs or {}).items()}
        self.tracker.log(values, self.first + epoch + 1)


@contextlib.contextmanager
def tracking(
    wanted: Sequence[str], name: str, parameters: Mapping[str, Any]
) -> Iterator[list[Tracker]]:
    """Open trackers; they are closed with the end, or the failure, of a run.

    Args:
        wanted: Keys of `KINDS`.
        name: Of the run.
        parameters: Its configuration, of which hyperparameters may be nested.
    """
    flat = {k: v for k, v in parameters.items() if not isinstance(v, Mapping)}
    for values in parameters.values():
        if isinstance(values, Mapping):
            flat |= values
    trackers: list[Tracker] = []
    failed = True
    try:
        for kind in wanted:
            trackers.append(KINDS[kind](name, flat))
        yield trackers
        failed = False
    finally:
        for tracker in trackers:
            tracker.end(failed)
