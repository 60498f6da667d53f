"""What watches a trial."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_lt.groups import class_groups

OVERALL = "val_accuracy"  # in the metrics of an epoch


class Pruned(Exception):
    """A trial ends early, as others were better when they were that old."""


class Watch:
    """A tracker that ends a trial which falls behind.

    Args:
        trial: An `optuna.Trial`. The first one, of the preset, never ends
            early.
        class_counts: Training images of each class.
        groups: Of classes, that metrics tell of.
    """

    def __init__(self, trial: Any, class_counts: Sequence[int], groups: str):
        self.trial = trial
        found = class_groups(class_counts, groups)
        self.sizes = {f"{OVERALL}_{k}": len(v) for k, v in found.items()}
        kept = trial.study.get_trials(deepcopy=False)[trial.number]
        self.seen = {*kept.intermediate_values}  # before it was killed

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Report the balanced accuracy of an epoch.

        Raises:
            Pruned: if that is below the median of earlier trials.
        """
        found = self._balanced(values)
        if found is None:
            return
        if step not in self.seen:
            self.trial.report(found, step)
        if self.trial.number and self.trial.should_prune():
            raise Pruned(f"ended after {step} epochs, below the median")

    def end(self, failed: bool) -> None:
        """Leave it to the study."""

    def _balanced(self, values):
        """Mean over the classes, of means over groups of them."""
        own = {k: n for k, n in self.sizes.items() if k in values}
        if not own:
            return None
        return sum(n * values[k] for k, n in own.items()) / sum(own.values())
