"""A line of a report for each class, and pictures of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_lt import evaluation
from keras_lt.groups import class_groups
from keras_lt.reporting import words
from keras_lt.reporting.figures import Figures
from keras_lt.reporting.thumbnails import pictures

MOST = 720  # pictures of a page
KINDS = {"wrong": 3, "least certain": 2, "best": 2}
CLASSES = 100  # that are pictured
SQUARES = 40  # classes of a confusion matrix that is drawn
GROUPS = {
    "shots": "Many: more than 100 training images; few: less than 20.",
    "thirds": "Head, body and tail: the classes, the largest first, that hold "
    "the first, second and last third of the training images.",
}


def group_names(
    class_counts: Sequence[int], groups: str = "shots"
) -> list[str]:
    """Name of the group of each class.

    Args:
        class_counts: Training images of each class.
        groups: See `groups.class_groups`.

    Example:
        >>> group_names([500, 50, 5])
        ['many', 'medium', 'few']
    """
    found = [""] * len(class_counts)
    for name, members in class_groups(class_counts, groups).items():
        for member in members:
            found[member] = name
    return found


def class_rows(every: Sequence[Figures]) -> list[dict[str, Any]]:
    """A row for each class, with a cell for each model."""
    first = every[0].subject
    groups = group_names(first.class_counts, first.groups)
    columns = [_column(figures) for figures in every]
    return [
        {
            "name": name,
            "group": groups[c],
            "train": words.count(first.class_counts[c]),
            "test": words.count(every[0].counts.total[c]),
            "cells": [column[c] for column in columns],
        }
        for c, name in enumerate(first.class_names)
    ]


def _column(figures: Figures) -> list[dict[str, str]]:
    """What is said of each class of one model."""
    counts, names = figures.counts, figures.subject.class_names
    low, high = words.wilson(counts.right, counts.total)
    recalls, f1 = evaluation.recalls(counts), evaluation.f1_scores(counts)
    norms = [*figures.subject.norms.values()]
    taken = {true: names[found] for true, found in figures.taken_for.items()}
    return [
        {
            "accuracy": _number(100 * recalls[c]),
            "span": (
                f"{100 * low[c]:.0f}–{100 * high[c]:.0f}"
                if counts.total[c]
                else ""
            ),
            "f1": _number(100 * f1[c]),
            "taken": taken.get(c, "–"),
            "norm": f"{norms[-1][c]:.2f}" if norms else "",
        }
        for c in range(len(names))
    ]


def _number(value):
    return "–" if np.isnan(value) else f"{value:.1f}"


def confusions(figures: Figures) -> dict[str, Any]:
    """The most confused pairs, and the whole table of few classes."""
    subject, names = figures.subject, figures.subject.class_names
    pairs = evaluation.confused_pairs(
        figures.predictions, subject.labels, number=12
    )
    found: dict[str, Any] = {
        "pairs": [
            {
                "true": names[true],
                "answer": names[answer],
                "images": images,
                "share": words.percent(images / figures.counts.total[true]),
            }
            for true, answer, images in pairs
        ],
        "names": names,
        "rows": None,
    }
    if subject.num_classes <= SQUARES:
        table = evaluation.confusion(
            figures.predictions, subject.labels, subject.num_classes
        )
        total = np.maximum(table.sum(1, keepdims=True), 1)
        found["rows"] = [
            [
                {"images": int(n), "shade": round(float(s), 2)}
                for n, s in zip(row, share, strict=True)
            ]
            for row, share in zip(table, table / total, strict=True)
        ]
    return found


def gallery(figures: Figures, models: int) -> list[dict[str, Any]]:
    """Wrong, least certain and best images of classes, the weakest first.

    Args:
        figures: Of the model.
        models: How many share the page.

    Returns:
        For each pictured class its name and, by kind, pictures with words.
    """
    subject = figures.subject
    if subject.images is None:
        return []
    recalls = evaluation.recalls(figures.counts)
    order = np.argsort(recalls, kind="stable")  # NaN come last
    number = min(CLASSES, MOST // (models * sum(KINDS.values())))
    found = []
    for c in order[:number]:
        if np.isnan(recalls[c]):
            break
        kinds = {
            kind: _pictured(figures, chosen[: KINDS[kind]])
            for kind, chosen in _chosen(figures, c).items()
        }
        share = words.percent(recalls[c])
        found.append(
            {"name": subject.class_names[c], "share": share, "kinds": kinds}
        )
    return found


def _chosen(figures: Figures, c: int) -> Mapping[str, np.ndarray]:
    """Positions of images of a class by kind, the most telling first."""
    own = np.flatnonzero(figures.subject.labels == c)
    sure = figures.probabilities[own].max(1)
    right = figures.predictions[own] == c
    rising = np.argsort(sure, kind="stable")
    falling = rising[::-1]
    taken = KINDS["best"]
    best = own[falling[right[falling]]]
    unsure = own[rising[right[rising]]]
    return {
        "wrong": own[falling[~right[falling]]],
        "least certain": unsure[~np.isin(unsure, best[:taken])],
        "best": best,
    }


def _pictured(figures: Figures, index: np.ndarray) -> list[dict[str, str]]:
    names = figures.subject.class_names
    drawn = pictures(figures.subject.images, index)
    return [
        {
            "picture": uri,
            "answer": names[figures.predictions[i]],
            "share": words.percent(figures.probabilities[i].max(), 0),
        }
        for uri, i in zip(drawn, index, strict=True)
        if uri
    ]
