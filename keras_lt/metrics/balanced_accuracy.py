"""Accuracy in which every class counts alike."""

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.metrics.batches import (
    image_weights,
    mean_of_classes,
    mean_view,
    true_classes,
)


@keras.saving.register_keras_serializable(package="keras_lt")
class BalancedAccuracy(keras.metrics.Metric):
    """Mean class accuracy, over the classes seen since the last reset.

    On images with a tail, overall accuracy rewards a model that knows the
    head alone; this does not.

    Args:
        num_classes: C, >= 1.
        num_views: Number of views that are judged, the first ones; all by
            default.
        name: Name in the logs.
        **kwargs: Of `keras.metrics.Metric`, such as `dtype`.

    Call arguments: labels `(B,)` and logits `(B, C)` or `(B, V, C)`, as of
        `ShotAccuracy`.
    Returns: a scalar in [0, 1].
    Raises: ValueError: if `num_classes` is out of range.

    See also: `evaluation.balanced_accuracy`; `ShotAccuracy`.

    Example:
        >>> metric = BalancedAccuracy(2)
        >>> metric.update_state([0, 0, 0, 1], [[1, 0], [1, 0], [0, 1], [1, 0]])
        >>> round(float(metric.result()), 4)
        0.3333

    Source: Brodersen et al., ICPR 2010; `balanced_accuracy_score` of
        scikit-learn.
    """

    @checked
    def __init__(
        self,
        num_classes: int,
        *,
        num_views: int | None = None,
        name: str = "balanced_accuracy",
        **kwargs,
    ):
        if num_classes < 1:
            raise ValueError(f"`num_classes` must be >= 1, got {num_classes}")
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        self.num_views = num_views
        shape = (num_classes,)
        self.right = self.add_weight(shape, name="right", initializer="zeros")
        self.total = self.add_weight(shape, name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count right and all images of each class in a batch."""
        labels = true_classes(y_true)
        logits = mean_view(y_pred, self.num_classes, self.num_views)
        hit = ops.cast(ops.argmax(logits, -1) == labels, self.dtype)
        weight = image_weights(hit, sample_weight)
        one_hot = ops.one_hot(labels, self.num_classes, dtype=self.dtype)
        self.right.assign_add(ops.matmul(weight * hit, one_hot))
        self.total.assign_add(ops.matmul(weight, one_hot))

    def result(self):
        """Return the mean class accuracy."""
        return mean_of_classes(self.right + 0.0, self.total + 0.0)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_views": self.num_views,
        }
