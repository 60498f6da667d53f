"""The study of a search: an Optuna study on the disk."""

import contextlib
import dataclasses
import pathlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from keras_lt.runs.tuning.space import Dimension

STARTUP = 5  # trials at random, before any model of the others
COMPARED = 3  # trials that came to an end before one is ended early
NAME = "keras_lt"


@dataclasses.dataclass(frozen=True)
class Trial:
    """What is known of a trial.

    Args:
        number: From 0, the trial of the preset.
        state: `"COMPLETE"`, `"PRUNED"` or `"FAIL"`.
        values: Of hyperparameters, by name.
        score: Balanced accuracy on the validation images, at the end or when
            it was ended early; None without one.
    """

    number: int
    state: str
    values: Mapping[str, Any]
    score: float | None


class Study:
    """A context in which a study is open.

    A trial that was killed is still running for the study; it is the next one.

    Args:
        folder: Where its data base is.
        dimensions: What is looked for.
        identity: What makes two searches equal, with the `"seed"`.
        epochs: Of a trial.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        dimensions: Sequence[Dimension],
        identity: Mapping[str, Any],
        epochs: int,
    ):
        self.folder, self.dimensions = folder, dimensions
        self.identity, self.epochs = dict(identity), epochs

    def __enter__(self) -> "Study":
        """Open it, or begin it with the trial of the preset.

        Raises:
            ValueError: if it is another search's.
        """
        import optuna

        self._optuna = optuna
        self._verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        path = (self.folder / "study.db").absolute()
        self._storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
        self._study = optuna.create_study(
            storage=self._storage,
            study_name=NAME,
            load_if_exists=True,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(COMPARED, self.epochs // 3),
        )
        attributes = self._study.user_attrs
        if "identity" not in attributes:
            first = {each.name: each.first for each in self.dimensions}
            self._study.enqueue_trial(first, skip_if_exists=True)
            self._study.set_user_attr("identity", self.identity)
        elif attributes["identity"] != self.identity:
            self.__exit__()
            raise ValueError(self._difference(attributes["identity"]))
        return self

    def __exit__(self, *failure: Any) -> None:
        """Close the data base."""
        self._storage.remove_session()
        self._storage.engine.dispose()
        self._optuna.logging.set_verbosity(self._verbosity)

    def _difference(self, there):
        here = self.identity
        for name in ("hyperparameters", *here):
            if here[name] != there.get(name):
                break
        return (
            f"--workdir: {self.folder} holds a search of a different "
            f"configuration: {name} is {there.get(name)!r} there, "
            f"{here[name]!r} here"
        )

    def next(self, number: int) -> Any:
        """The next trial, an `optuna.Trial`; None if there were enough."""
        trials = self._study.get_trials(deepcopy=False)
        states = self._optuna.trial.TrialState
        ended = sum(trial.state.is_finished() for trial in trials)
        running = [t for t in trials if t.state == states.RUNNING]
        # By the number, so that a study that was resumed asks the same.
        self._study.sampler = self._optuna.samplers.TPESampler(
            n_startup_trials=STARTUP, seed=self.identity["seed"] + ended
        )
        if running:
            return self._optuna.Trial(self._study, self._id(running[0].number))
        return self._study.ask() if ended < number else None

    def _id(self, number):
        study = self._storage.get_study_id_from_name(NAME)
        return self._storage.get_trial_id_from_study_id_trial_number(
            study, number
        )

    def values(self, trial: Any) -> dict[str, Any]:
        """Values of a trial: of the first one, those of the preset."""
        asked = {each.name: each.ask(trial) for each in self.dimensions}
        if trial.number == 0:
            asked = {each.name: each.preset for each in self.dimensions}
        trial.set_user_attr("values", asked)
        return asked

    def end(self, trial: Any, state: str, score: float | None = None) -> None:
        """Keep how a trial ended."""
        found = self._optuna.trial.TrialState[state]
        with self._quiet():
            self._study.tell(trial.number, score, state=found)

    def trials(self) -> list[Trial]:
        """All trials that have ended."""
        return [
            Trial(t.number, t.state.name, t.user_attrs["values"], t.value)
            for t in self._study.get_trials(deepcopy=False)
            if t.state.is_finished()
        ]

    def best(self) -> dict[str, Any]:
        """Values of the best trial; of equal ones the first.

        If none came to its end, those of the preset.
        """
        whole = [t for t in self.trials() if t.state == "COMPLETE"]
        if whole:
            return dict(max(whole, key=lambda t: t.score or 0.0).values)
        return {each.name: each.preset for each in self.dimensions}

    def importances(self) -> dict[str, float]:
        """Shares of the variance of scores, by name; empty of few trials."""
        scores = {t.score for t in self.trials() if t.state == "COMPLETE"}
        if len(scores) < COMPARED or len(self.dimensions) < 2:
            return {}
        with self._quiet():
            return self._optuna.importance.get_param_importances(self._study)

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Without notes on what of Optuna may change."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
