"""Trials for people: a table, a file of it, and a plot."""

import csv
import importlib.util
import io
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from keras_lt.atomic import replacing, write_atomically
from keras_lt.runs.tuning.space import Dimension
from keras_lt.runs.tuning.study import Trial
from keras_lt.terminal import print_table

ENDS = {"COMPLETE": "", "PRUNED": "ended early", "FAIL": "failed"}


def listed(values: Mapping[str, Any]) -> str:
    """Values in a line."""
    return ", ".join(f"{name}={value}" for name, value in values.items())


def print_trials(
    trials: Sequence[Trial], dimensions: Sequence[Dimension]
) -> None:
    """Print the trials, best first.

    Args:
        trials: Which have ended.
        dimensions: What was looked for.
    """
    names = [each.name for each in dimensions]
    print("\nTrials, by balanced accuracy on held-out training images in %:")
    rows = []
    for trial in sorted(trials, key=_rank):
        score = "-" if trial.score is None else f"{100 * trial.score:.1f}"
        title = f"{trial.number + 1}{'' if trial.number else ' (preset)'}"
        values = [f"{trial.values[name]}" for name in names]
        rows.append((title, [*values, score, ENDS[trial.state]]))
    print_table("trial", [*names, "balanced", ""], rows, noted=True)


def write(
    folder: pathlib.Path,
    trials: Sequence[Trial],
    dimensions: Sequence[Dimension],
) -> None:
    """Write `trials.csv`.

    Args:
        folder: Where to.
        trials: Which have ended.
        dimensions: What was looked for.
    """
    names = [each.name for each in dimensions]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["trial", *names, "balanced", "state"])
    for trial in trials:
        own = [trial.values[name] for name in names]
        table.writerow([trial.number + 1, *own, trial.score, trial.state])
    write_atomically(folder / "trials.csv", text.getvalue().encode())


def draw(
    folder: pathlib.Path,
    trials: Sequence[Trial],
    dimensions: Sequence[Dimension],
    importances: Mapping[str, float],
) -> None:
    """Draw `trials.png`: scores by each value, and what it matters.

    Args:
        folder: Where to.
        trials: Which have ended.
        dimensions: What was looked for.
        importances: Shares by name; may be empty.
    """
    if not importlib.util.find_spec("matplotlib"):
        return
    from matplotlib.figure import Figure

    panels = len(dimensions) + bool(importances)
    figure = Figure(figsize=(4.2 * panels, 3.6), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for axis, dimension in zip(axes, dimensions, strict=False):
        _points(axis, dimension, trials)
    axes[0].set_ylabel("balanced accuracy, held out, in %")
    axes[0].legend(frameon=False, fontsize="small")
    if importances:
        names = [*importances][::-1]
        axes[-1].barh(names, [importances[name] for name in names])
        axes[-1].set(title="Importance", xlabel="share of the variance")
    with replacing(folder / "trials.png") as aside:
        figure.savefig(aside, dpi=120)


def _points(axis, dimension, trials):
    """Scores by the values of a hyperparameter."""
    name = dimension.name
    kinds = (
        ("preset", "D", lambda t: t.number == 0),
        ("trial", "o", lambda t: t.number and t.state == "COMPLETE"),
        ("ended early", "x", lambda t: t.state == "PRUNED"),
    )
    for label, marker, chosen in kinds:
        own = [t for t in trials if chosen(t) and t.score is not None]
        given = [t.values[name] for t in own]
        if dimension.range is None:
            given = [f"{value}" for value in given]
        scores = [100 * t.score for t in own]
        axis.scatter(given, scores, marker=marker, label=label)
    if dimension.range and dimension.range.log:
        axis.set_xscale("symlog", linthresh=dimension.range.low)
    axis.set(xlabel=name, title=f"Trials by {name}")


def _rank(trial):
    whole = trial.state == "COMPLETE"
    return not whole, -(trial.score or 0.0), trial.number
