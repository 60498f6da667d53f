"""What a report is about: the answers of one model, and what is known of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_lt import evaluation, stats
from keras_lt.evaluation.values import check_labels

Answers = tuple[np.ndarray, np.ndarray]  # logits (N, C), labels (N,)
Facts = Mapping[str, Mapping[str, str]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """Answers of a model to test images.

    Args:
        name: For people.
        logits: `(N, C)`; log probabilities serve as well.
        labels: True class ids `(N,)`.
        class_counts: *Training* images per class, length C.
        class_names: C names.
        groups: In which of the classes it is told, see `groups.class_groups`.
        validation: Logits and labels of images that were neither trained on
            nor are judged, to fit a temperature with; None if there are none.
        images: The test images `(N, H, W, channels)`, for thumbnails; None
            for none.
        norms: Norms of the class vectors, length C, by stage.
        epochs: Metrics of each epoch, with the name of its `stage`.
        facts: Further lines, by the title of their list, then by name.

    Raises:
        ValueError: if lengths do not fit each other.
    """

    name: str
    logits: np.ndarray
    labels: np.ndarray
    class_counts: Sequence[int]
    class_names: Sequence[str]
    groups: str = "shots"
    validation: Answers | None = None
    images: Any = None
    norms: Mapping[str, Sequence[float]] = dataclasses.field(
        default_factory=dict
    )
    epochs: Sequence[Mapping[str, Any]] = ()
    facts: Facts = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        """Check what a page would stumble over."""
        stats.check_class_counts(self.class_counts)
        classes = self.num_classes
        if self.logits.shape != (len(self.labels), classes):
            raise ValueError(
                "`logits` must have a row for each label and a column for "
                f"each class, ({len(self.labels)}, {classes}), got "
                f"{self.logits.shape}"
            )
        if not np.isfinite(self.logits).all():
            raise ValueError("`logits` must be finite, got NaN or infinity")
        check_labels(np.asarray(self.labels), classes)
        for name in ("class_names", "images"):
            values = getattr(self, name)
            wanted = classes if name == "class_names" else len(self.labels)
            if values is not None and len(values) != wanted:
                raise ValueError(
                    f"`{name}` must be {wanted}, got {len(values)}"
                )

    @property
    def num_classes(self) -> int:
        """C."""
        return len(self.class_counts)

    @property
    def probabilities(self) -> np.ndarray:
        """Of the classes `(N, C)`."""
        return evaluation.softmax(self.logits)


def check_alike(subjects: Sequence[Subject]) -> None:
    """Check that models were asked about the same images.

    Raises:
        ValueError: if not, or if there are none.
    """
    if not subjects:
        raise ValueError("`subjects` must be one or more")
    first, *others = subjects
    for other in others:
        same = [*first.class_names] == [*other.class_names]
        if not same or not np.array_equal(first.labels, other.labels):
            raise ValueError(
                f"{first.name} and {other.name} were judged on different "
                "images, so they cannot be shown side by side"
            )
