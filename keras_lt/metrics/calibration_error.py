"""Whether a model is right as often as it says."""

import keras
import numpy as np
from keras import ops

from keras_lt.checking import checked
from keras_lt.metrics.batches import (
    image_weights,
    mean_view,
    or_tiny,
    true_classes,
)


@keras.saving.register_keras_serializable(package="keras_lt")
class ExpectedCalibrationError(keras.metrics.Metric):
    """Mean distance of confidence and accuracy over bins of confidence.

    Confidence is the largest softmax probability; bins are equally wide and
    hold their upper border. As `evaluation.expected_calibration_error`, batch
    by batch.

    Args:
        num_classes: C, >= 1.
        bins: Their number, >= 1.
        num_views: Number of views that are judged, the first ones; all by
            default.
        name: Name in the logs.
        **kwargs: Of `keras.metrics.Metric`, such as `dtype`.

    Call arguments: labels `(B,)` and logits `(B, C)` or `(B, V, C)`, as of
        `ShotAccuracy`.
    Returns: a scalar in [0, 1].
    Raises: ValueError: if `num_classes` or `bins` is out of range.

    See also: `evaluation.expected_calibration_error`;
        `evaluation.fit_temperature`.

    Example:
        >>> metric = ExpectedCalibrationError(2)
        >>> metric.update_state([0, 1], [[0, 0], [0, 0]])  # half sure
        >>> float(metric.result())
        0.0

    Source: Naeini et al., AAAI 2015; Guo et al., ICML 2017.
    """

    @checked
    def __init__(
        self,
        num_classes: int,
        *,
        bins: int = 15,
        num_views: int | None = None,
        name: str = "calibration_error",
        **kwargs,
    ):
        for argument, value in (("num_classes", num_classes), ("bins", bins)):
            if value < 1:
                raise ValueError(f"`{argument}` must be >= 1, got {value}")
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        self.bins = bins
        self.num_views = num_views
        self.borders = np.linspace(0, 1, bins + 1)[1:-1].astype("float32")
        self.gaps = self.add_weight((bins,), name="gaps", initializer="zeros")
        self.images = self.add_weight((), name="images", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add confidence minus hits of a batch, by bin."""
        logits = mean_view(y_pred, self.num_classes, self.num_views)
        probabilities = ops.softmax(ops.cast(logits, self.dtype), axis=-1)
        confidence = ops.max(probabilities, axis=-1)
        hit = ops.argmax(logits, -1) == true_classes(y_true)
        weight = image_weights(confidence, sample_weight)
        above = confidence[:, None] > ops.cast(self.borders, self.dtype)
        bin_ids = ops.sum(ops.cast(above, "int32"), axis=-1)  # (B,)
        gap = weight * (confidence - ops.cast(hit, self.dtype))
        one_hot = ops.one_hot(bin_ids, self.bins, dtype=self.dtype)
        self.gaps.assign_add(ops.matmul(gap, one_hot))
        self.images.assign_add(ops.sum(weight))

    def result(self):
        """Return the error."""
        return ops.sum(ops.abs(self.gaps)) / or_tiny(self.images)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "bins": self.bins,
            "num_views": self.num_views,
        }
