"""The charts of a report."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_lt import evaluation
from keras_lt.reporting.subject import Subject
from keras_lt.reporting.svg import Chart

POINTS = 400  # of a line, at most
KINDS = {"plain": "as it is", "corrected": "re-weighted to the shares"}
WORDS = {
    "loss": "training",
    "accuracy": "training",
    "val_loss": "validation",
    "val_accuracy": "validation",
    "val_accuracy_few": "validation, few-shot",
    "val_accuracy_tail": "validation, tail",
    "test_accuracy": "test (a look; nothing is chosen by it)",
}
ACCURACIES = (
    *("accuracy", "val_accuracy", "val_accuracy_few", "val_accuracy_tail"),
    "test_accuracy",
)


def by_rank(
    title: str,
    lines: Mapping[str, Sequence[float]],
    class_counts: Sequence[int],
    unit: str,
    *,
    top: float | None = None,
) -> Any:
    """Values of classes, from the largest class to the smallest.

    Args:
        title: Of the chart.
        lines: Length C each, by name. Of many classes, means of neighbours.
        class_counts: Training images, drawn in grey behind on a logarithmic
            scale.
        unit: Of the values.
        top: Where the scale ends; by default at the largest value.
    """
    order = np.argsort(-np.asarray(class_counts), kind="stable")
    window = max(len(order) // 25, 1)
    smooth = {
        name: _smooth(np.array(line, "float64")[order], window)
        for name, line in lines.items()
    }
    highest = max(np.nanmax([*v, 0.0]) for v in smooth.values())
    chart = Chart(
        title,
        x=(-0.5, len(order) - 0.5),
        y=(0, top or float(highest) * 1.05),
        labels=("classes, from the most images to the fewest", unit),
    )
    chart.area(np.asarray(class_counts)[order].tolist(), max(class_counts))
    step = max(len(order) // POINTS, 1)
    places = np.arange(len(order))[::step]
    for number, (name, line) in enumerate(smooth.items()):
        few = len(order) <= 30
        chart.line(places, line[::step], number=number, label=name, dots=few)
    return chart.svg()


def _smooth(values, window):
    """Mean over a window of classes, without those that have no value."""
    known = ~np.isnan(values)
    box = np.ones(2 * (window // 2) + 1)
    number = np.convolve(known, box, "same")
    total = np.convolve(np.where(known, values, 0), box, "same")
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def tail(class_counts: Sequence[int]) -> Any:
    """Training images of classes in order of their number."""
    counts = np.sort(class_counts)[::-1]
    chart = Chart(
        "Training images of each class",
        x=(-0.5, len(counts) - 0.5),
        y=(min(float(counts[-1]), 1.0), float(counts[0]) * 1.2),
        labels=("classes, from the most images to the fewest", "images"),
        log=True,
    )
    step = max(len(counts) // POINTS, 1)
    places = np.arange(len(counts))[::step]
    chart.line(places, counts[::step], dots=len(counts) <= 30)
    return chart.svg()


def reliability(
    title: str, lines: Mapping[str, evaluation.Reliability], *, bars: bool
) -> Any:
    """Accuracy over confidence.

    Args:
        title: Of the chart.
        lines: By name.
        bars: Whether to draw shares of the images of the first line.
    """
    chart = Chart(
        title,
        x=(0, 100),
        y=(0, 100),
        labels=("confidence in %", "right in %"),
    )
    first = next(iter(lines.values()))
    shares = 100 * first.images / first.images.sum()
    centres = (np.arange(len(shares)) + 0.5) * 100 / len(shares)
    if bars:
        chart.bars(centres, shares.tolist(), 0.8 * 100 / len(shares))
    chart.line((0, 100), (0, 100), number=5, dashed=True, label="as it says")
    for number, (label, found) in enumerate(lines.items()):
        chart.line(
            100 * found.confidence[found.images > 0],
            100 * found.accuracy[found.images > 0],
            number=number,
            label=label,
            dots=True,
        )
    return chart.svg()


def shifted(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Any:
    """Accuracy under tails of several lengths, to either side.

    Args:
        rows: Of `evaluation.shifted_accuracies`, by the name of the model.
    """
    first = next(iter(rows.values()))
    ticks = [(i, f"{row['ratio']:g}") for i, row in enumerate(first)]
    found = [row[k] for rs in rows.values() for row in rs for k in KINDS]
    low = 100 * min(found)
    chart = Chart(
        "Accuracy if other classes are frequent",
        x=(0, len(first) - 1),
        y=(max(low - 5, 0), min(100 * max(found) + 5, 100)),
        ticks=ticks,
        labels=("← as in training · ratio of shares · inverse →", "right in %"),
    )
    for number, (name, rs) in enumerate(rows.items()):
        for kind, words in KINDS.items():
            chart.line(
                range(len(rs)),
                [100 * row[kind] for row in rs],
                number=number,
                label=f"{name}, {words}" if len(rows) > 1 else words,
                dashed=kind == "plain",
                dots=True,
            )
    return chart.svg()


def curves(subject: Subject) -> list[Any]:
    """Loss and accuracies over the epochs of all stages, as far as known."""
    lines = subject.epochs
    found = []
    for title, names, unit, factor in (
        ("Loss while it trained", ("loss", "val_loss"), "nats", 1),
        ("Accuracy while it trained", ACCURACIES, "right in %", 100),
    ):
        known = {
            name: factor * np.array([row.get(name, np.nan) for row in lines])
            for name in names
            if any(name in row for row in lines)
        }
        values = np.concatenate([[np.nan], *known.values()])
        if np.isnan(values).all():
            continue
        top = 100 if factor == 100 else 1.05 * float(np.nanmax(values))
        chart = Chart(
            title, x=(1, len(lines)), y=(0, top), labels=("epoch", unit)
        )
        for number in range(1, len(lines)):
            if lines[number]["stage"] != lines[number - 1]["stage"]:
                chart.rule(number + 0.5)
        for number, (name, line) in enumerate(known.items()):
            places = np.arange(1, len(lines) + 1)
            step = max(len(lines) // POINTS, 1)
            label = WORDS.get(name, name)
            chart.line(places[::step], line[::step], number=number, label=label)
        found.append(chart.svg())
    return found
