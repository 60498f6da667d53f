"""Accuracy on the classes with many, a medium number of, or few images."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.groups import ShotGroups, Thirds, class_groups
from keras_lt.metrics.batches import (
    image_weights,
    mean_of_classes,
    mean_view,
    or_tiny,
    true_classes,
)

GROUPS = ("overall", *ShotGroups._fields, *Thirds._fields)


@keras.saving.register_keras_serializable(package="keras_lt")
class ShotAccuracy(keras.metrics.Metric):
    """Top-1 accuracy over one shot group of classes.

    "overall" is the fraction of right images; "many" (> 100 training images),
    "medium" (20..100) and "few" (< 20) are means of class accuracies over the
    group's classes that have been seen since the last reset; "head", "body"
    and "tail" are those of thirds of the images.

    Args:
        class_counts: *Training* images per class, length C, all > 0.
        group: `"overall"`; `"many"`, `"medium"` or `"few"`; `"head"`,
            `"body"` or `"tail"`.
        num_views: Number of views that are judged, the first ones; all by
            default.
        name: Name in the logs; `"accuracy"` or `"accuracy_few"` by default.
        **kwargs: Of `keras.metrics.Metric`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or shares of the
        classes `(B, C)`, of which the largest counts; logits `(B, C)`, or
        `(B, V, C)`, of which the mean over the views is judged. Columns
        after the first C, such as router logits, are not read.
        `sample_weight` `(B,)` weighs images.
    Returns: a scalar in [0, 1].
    Raises: ValueError: if `group` is unknown or has no class: leave such a
        group out, as `shot_accuracy_metrics` does.

    See also: `shot_accuracy_metrics`, all at once; `stats.shot_groups`,
        `groups.thirds`.

    Example:
        >>> metric = ShotAccuracy([200, 50, 5], "few")
        >>> metric.update_state([0, 2, 2], [[1, 0, 0], [0, 0, 1], [1, 0, 0]])
        >>> float(metric.result())
        0.5

    Source: Liu et al., CVPR 2019 (OLTR).
    """

    @checked
    def __init__(
        self,
        class_counts: Sequence[int],
        group: str = "overall",
        *,
        num_views: int | None = None,
        name: str | None = None,
        **kwargs,
    ):
        if group not in GROUPS:
            raise ValueError(f"`group` must be one of {GROUPS}, got {group!r}")
        default = "accuracy" if group == "overall" else f"accuracy_{group}"
        super().__init__(name=name or default, **kwargs)
        self.class_counts = list(stats.check_class_counts(class_counts))
        self.group = group
        self.num_views = num_views
        if group != "overall":
            kind = "thirds" if group in Thirds._fields else "shots"
            self.members = class_groups(class_counts, kind)[group]
            if not len(self.members):
                raise ValueError(f"`group` {group!r} has no class here")
        shape = (len(self.class_counts),)
        self.right = self.add_weight(shape, name="right", initializer="zeros")
        self.total = self.add_weight(shape, name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count right and all images of each class in a batch."""
        classes = len(self.class_counts)
        labels = true_classes(y_true)
        logits = mean_view(y_pred, classes, self.num_views)
        hit = ops.cast(ops.argmax(logits, -1) == labels, self.dtype)
        weight = image_weights(hit, sample_weight)
        one_hot = ops.one_hot(labels, classes, dtype=self.dtype)
        self.right.assign_add(ops.matmul(weight * hit, one_hot))
        self.total.assign_add(ops.matmul(weight, one_hot))

    def result(self):
        """Return the accuracy of the group."""
        # Few operations: Keras calls it every epoch without compiling it.
        right, total = self.right + 0.0, self.total + 0.0
        if self.group == "overall":
            return ops.sum(right) / or_tiny(ops.sum(total))
        right, total = (ops.take(x, self.members) for x in (right, total))
        return mean_of_classes(right, total)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "group": self.group,
            "num_views": self.num_views,
        }


def shot_accuracy_metrics(
    class_counts: Sequence[int],
    *,
    num_views: int | None = None,
    groups: str = "shots",
) -> list[ShotAccuracy]:
    """One `ShotAccuracy` for "overall" and for each group that has classes.

    Args:
        class_counts: *Training* images per class, length C, all > 0.
        num_views: See `ShotAccuracy`.
        groups: `"shots"` or `"thirds"`, see `groups.class_groups`.

    Example:
        >>> [metric.name for metric in shot_accuracy_metrics([200, 5])]
        ['accuracy', 'accuracy_many', 'accuracy_few']
    """
    found = class_groups(class_counts, groups)
    present = [name for name, members in found.items() if len(members)]
    return [
        ShotAccuracy(class_counts, name, num_views=num_views)
        for name in ("overall", *present)
    ]
