"""What metrics make of labels, logits and weights of a batch."""

from typing import Any

import keras
from keras import ops

from keras_lt.ops import are_mixed, class_ids

Tensor = Any


def true_classes(y_true: Tensor) -> Tensor:
    """Class ids `(B,)` of ids, of a column of them, or of shares `(B, C)`."""
    y_true = ops.convert_to_tensor(y_true)
    return class_ids(ops.argmax(y_true, -1) if are_mixed(y_true) else y_true)


def mean_view(y_pred: Tensor, classes: int, views: int | None) -> Tensor:
    """Logits `(B, C)` of logits `(B, C)` or `(B, V, C)`.

    Args:
        y_pred: Columns after the first C are not read.
        classes: C.
        views: How many of the first views count; None for all.
    """
    y_pred = ops.convert_to_tensor(y_pred)[..., :classes]
    return ops.mean(y_pred[:, :views], axis=1) if y_pred.ndim == 3 else y_pred


def image_weights(like: Tensor, sample_weight: Tensor | None) -> Tensor:
    """Weights `(B,)`, of the type of `like`; 1 where none are given."""
    if sample_weight is None:
        return ops.ones_like(like)
    return ops.cast(ops.reshape(sample_weight, (-1,)), like.dtype)


def mean_of_classes(right: Tensor, total: Tensor) -> Tensor:
    """Mean of `right / total` over the classes with a total."""
    seen = ops.cast(total > 0, total.dtype)
    return ops.sum(right / or_tiny(total)) / or_tiny(ops.sum(seen))


def or_tiny(total: Tensor) -> Tensor:
    """What to divide by: nothing was counted where it is 0."""
    return ops.maximum(total, keras.config.epsilon())
