"""The numbers of a report: values, intervals, differences."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_lt import evaluation
from keras_lt.groups import class_groups
from keras_lt.reporting import words
from keras_lt.reporting.subject import Subject

TIMES = 1000  # resamples
LARGE, FEWER = 10**8, 200  # resamples of a table of so many probabilities
CARDS = (
    *("overall", "balanced", "many", "few", "head", "tail"),
    *("worst_class", "ece"),
)
COMPARED = ("overall", "balanced", "few", "tail", "macro_f1")
LESS_IS_BETTER = ("ece", "brier", "nll")


class Figures:
    """All that is measured of one model, each part when it is asked for.

    Args:
        subject: Its answers.
    """

    def __init__(self, subject: Subject):
        self.subject = subject
        self.probabilities = subject.probabilities
        self.predictions = self.probabilities.argmax(1)
        self.counts = evaluation.tally(
            self.predictions, subject.labels, subject.num_classes
        )

    @functools.cached_property
    def measured(self) -> dict[str, float]:
        """Values by the names of `evaluation.NAMES`."""
        found = self._measure(None)
        return {name: float(number) for name, number in found.items()}

    @functools.cached_property
    def drawn(self) -> dict[str, np.ndarray]:
        """The same of every resample."""
        times = TIMES if self.probabilities.size < LARGE else FEWER
        return evaluation.bootstrap(
            self._measure, self.subject.labels, times=times
        )

    @functools.cached_property
    def intervals(self) -> dict[str, evaluation.Interval]:
        """Intervals that hold 95 % of the resamples."""
        return evaluation.intervals(self.drawn)

    @functools.cached_property
    def taken_for(self) -> dict[int, int]:
        """What each class is most often taken for, if it ever is."""
        found: dict[int, int] = {}
        for true, answer, _ in evaluation.confused_pairs(
            self.predictions, self.subject.labels, number=10**9
        ):
            found.setdefault(true, answer)
        return found

    @functools.cached_property
    def expects_tail(self) -> bool:
        """Whether it answers for the tail of the training images."""
        logits, labels = self.subject.validation or (
            self.subject.logits,
            self.subject.labels,
        )
        return evaluation.expects_tail(
            logits, labels, self.subject.class_counts
        )

    @functools.cached_property
    def shifted(self) -> list[dict[str, Any]]:
        """Accuracy under longer and under inverse tails."""
        power = 1.0 if self.expects_tail else 0.0
        return evaluation.shifted_accuracies(
            self.subject.logits,
            self.subject.labels,
            self.subject.class_counts,
            own=evaluation.power_prior(self.subject.class_counts, power),
        )

    @functools.cached_property
    def temperature(self) -> float | None:
        """Fitted on validation images; None without any."""
        if self.subject.validation is None:
            return None
        return evaluation.fit_temperature(*self.subject.validation)

    @functools.cached_property
    def cooled(self) -> np.ndarray | None:
        """Probabilities at that temperature `(N, C)`."""
        if self.temperature is None:
            return None
        return evaluation.softmax(self.subject.logits / self.temperature)

    def reliabilities(self) -> dict[str, dict[str, evaluation.Reliability]]:
        """Accuracy over confidence: as a whole, and by group."""
        labels = self.subject.labels
        whole = {
            "as trained": evaluation.reliability(self.probabilities, labels)
        }
        if self.cooled is not None:
            cooled = evaluation.reliability(self.cooled, labels)
            whole["with temperature"] = cooled
        groups = {
            name: evaluation.reliability(
                self.probabilities, labels, weights=inside
            )
            for name, inside in self._groups().items()
            if name != "overall"
        }
        return {
            "Is it right as often as it says?": whole,
            "The same by group": groups,
        }

    def calibration(self) -> list[dict[str, str]]:
        """Calibration error of all images and by group."""
        rows = []
        for group, inside in self._groups().items():
            row = {"group": group}
            named = {"before": self.probabilities, "after": self.cooled}
            for name, probabilities in named.items():
                error = None
                if probabilities is not None:
                    error = float(
                        evaluation.expected_calibration_error(
                            probabilities, self.subject.labels, weights=inside
                        )
                    )
                row[name] = words.percent(error)
            rows.append(row)
        return rows

    def sets(self) -> list[dict[str, Any]]:
        """Coverage and size of prediction sets, by method and group."""
        rows = []
        for method in evaluation.SET_METHODS:
            found = evaluation.sets_by_group(
                self._sets(method),
                self.subject.labels,
                self.subject.class_counts,
                self.subject.groups,
            )
            rows.append({"method": method.replace("_", " "), "groups": found})
        return rows

    def _sets(self, method):
        subject = self.subject
        counts = subject.class_counts
        if subject.validation is None:
            return evaluation.cross_sets(
                self.probabilities, subject.labels, counts, method=method
            )
        logits, labels = subject.validation
        known = evaluation.softmax(logits), labels
        return evaluation.prediction_sets(
            self.probabilities, known, counts, method=method
        )

    def _groups(self):
        """Weights that leave the images of a group, by its name."""
        labels = self.subject.labels
        found = {"overall": np.ones(len(labels))}
        groups = class_groups(self.subject.class_counts, self.subject.groups)
        for name, members in groups.items():
            inside = np.isin(labels, members)
            if inside.any():
                found[name] = inside.astype("float64")
        return found

    def _measure(self, weights):
        return evaluation.measures(
            self.probabilities,
            self.subject.labels,
            self.subject.class_counts,
            weights=weights,
            groups=self.subject.groups,
        )


def measure_rows(every: Sequence[Figures]) -> list[dict[str, Any]]:
    """A row of values and intervals for each measure, a cell for each model."""
    return [
        {
            "name": name,
            "label": label,
            "cells": [
                {
                    "value": words.value(name, each.measured[name]),
                    "span": words.span(name, *each.intervals[name]),
                    "exact": each.measured[name],
                }
                for each in every
            ],
        }
        for name, label in evaluation.NAMES.items()
        if name in every[0].measured
    ]


def differences(every: Sequence[Figures]) -> list[dict[str, Any]]:
    """How far the other models are from the first, and whether it is chance.

    Differences of the same resamples; the p-value is McNemar's.
    """
    first, *others = every
    right = first.predictions == first.subject.labels
    rows = []
    for other in others:
        cells = []
        for name in (n for n in COMPARED if n in first.measured):
            gap = other.measured[name] - first.measured[name]
            drawn = other.drawn[name] - first.drawn[name]
            low, high = evaluation.intervals({name: drawn})[name]
            ends = f"{words.points(low)} to {words.points(high)}"
            sure = bool(low > 0 or high < 0)
            cells.append({"gap": words.points(gap), "span": ends, "sure": sure})
        p = evaluation.mcnemar(other.predictions == other.subject.labels, right)
        rows.append(
            {
                "name": other.subject.name,
                "cells": cells,
                "p": f"{p:.3f}" if p >= 0.001 else "< 0.001",
            }
        )
    return rows


def cards(every: Sequence[Figures]) -> list[Mapping[str, Any]]:
    """The few numbers to begin with."""
    rows = {row["name"]: row for row in measure_rows(every)}
    return [rows[name] for name in CARDS if name in rows]
