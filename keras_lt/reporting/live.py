"""What the page needs to move the prior itself."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lt import evaluation
from keras_lt.groups import class_groups
from keras_lt.reporting.figures import Figures

LOW, HIGH, STEP = -1.5, 1.5, 0.05  # powers of the training counts


def live(every: Sequence[Figures]) -> dict[str, Any]:
    """Answers of each model under every prior that the slider can reach.

    A prior is a power s of the training counts n. A model that learned the
    power a is re-weighted to `argmax(z + (s - a) log n)`: the classes that
    ever win are few, see `evaluation.winners`, so that the page is exact and
    stays small.
    """
    first = every[0].subject
    groups = class_groups(first.class_counts, first.groups)
    return {
        "counts": [int(count) for count in first.class_counts],
        "names": [str(name) for name in first.class_names],
        "groups": {name: ids.tolist() for name, ids in groups.items()},
        "labels": _packed(first.labels, "<u2"),
        "models": [_answers(figures) for figures in every],
    }


def _answers(figures: Figures) -> dict[str, Any]:
    subject = figures.subject
    found = evaluation.winners(
        subject.logits, subject.class_counts, low=LOW - 1, high=HIGH
    )
    return {
        "expects": 1 if figures.expects_tail else 0,
        "sizes": _packed(np.diff(found.starts), "<u2"),
        "begins": _packed(found.begins, "<f4"),
        "classes": _packed(found.classes, "<u2"),
    }


def _packed(values: np.ndarray, kind: str) -> str:
    """Little-endian numbers as text."""
    return base64.b64encode(np.asarray(values).astype(kind).tobytes()).decode()
