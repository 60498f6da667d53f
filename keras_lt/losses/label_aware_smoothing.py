"""Label smoothing that depends on how frequent the class is."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.losses.checks import check_logits
from keras_lt.ops import class_shares, of_every_expert

FORMS = ("concave", "linear", "convex")


@keras.saving.register_keras_serializable(package="keras_lt")
class LabelAwareSmoothing(keras.losses.Loss):
    """Cross entropy to labels that are smoothed more for frequent classes.

    Networks are most overconfident of the classes that they have seen most.
    With p = softmax(logits) and the smoothing e[y] of the label's class,

        -(1 - e[y]) * log p[y] - e[y] / C * sum_c log p[c]

    where e grows from `tail`, for the rarest class, to `head`, for the most
    frequent one. With the share t = (n - min(n)) / (max(n) - min(n)) of a
    class it lies on the way, by `form`, at

        "concave":  sin(pi / 2 * t)
        "linear":   t
        "convex":   1 - cos(pi / 2 * t)

    With `head` and `tail` alike it is ordinary label smoothing, and close to
    1 over-smoothing.

    Args:
        class_counts: Training images per class, length C, all > 0. If all are
            equal, each class has the smoothing of the rarest.
        head: Smoothing of the most frequent class, in [0, 1].
        tail: Of the rarest, in [0, 1].
        form: `"concave"`, `"linear"` or `"convex"`.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or `(B, C)`
        probabilities of the classes; logits `(B, C)`, or `(B, E, C)` of E
        experts that each have a loss of their own.
    Returns: values `(B,)` in nats, then reduced by Keras.
    Raises: ValueError: if a count is not positive, `head` or `tail` is outside
        [0, 1], or `form` is unknown.

    See also: `layers.LWS`, which is trained with it; `SoftmaxCrossentropy`.

    Example:
        >>> loss = LabelAwareSmoothing([100, 10, 5])
        >>> loss.smoothing.round(3).tolist()
        [0.4, 0.125, 0.1]

    Source: Zhong et al., CVPR 2021; `dvlab-research/MiSLAS:methods.py`.
        Over-smoothing: Sun et al., ICLR 2025; `bilibili/LOS`.
    """

    @checked
    def __init__(
        self,
        class_counts: Sequence[int],
        *,
        head: float = 0.4,
        tail: float = 0.1,
        form: str = "concave",
        reduction: str | None = "sum_over_batch_size",
        name: str = "label_aware_smoothing",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        for argument, value in (("head", head), ("tail", tail)):
            if not 0 <= value <= 1:
                raise ValueError(f"`{argument}` must be in [0, 1], got {value}")
        if form not in FORMS:
            raise ValueError(f"`form` must be one of {FORMS}, got {form!r}")
        self.class_counts = list(stats.check_class_counts(class_counts))
        self.head = head
        self.tail = tail
        self.form = form
        way = _way_to_the_head(np.array(self.class_counts, "float64"), form)
        self.smoothing = (tail + (head - tail) * way).astype("float32")  # (C,)

    def call(self, y_true, y_pred):
        """Return the values `(B,)`."""
        check_logits(y_pred, self.class_counts)
        return of_every_expert(self._compare, y_true, y_pred)

    def _compare(self, labels, logits):
        shares = class_shares(labels, logits)  # (B, C)
        lost = shares * ops.convert_to_tensor(self.smoothing, logits.dtype)
        log_p = ops.log_softmax(logits)
        kept = ops.sum((shares - lost) * log_p, -1)
        return -kept - ops.sum(lost, -1) * ops.mean(log_p, -1)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "head": self.head,
            "tail": self.tail,
            "form": self.form,
        }


def _way_to_the_head(counts, form):
    """How far each class is from the rarest to the most frequent one."""
    span = counts.max() - counts.min()
    share = (counts - counts.min()) / max(span, 1)
    if form == "linear":
        return share
    angle = np.pi / 2 * share
    return np.sin(angle) if form == "concave" else 1 - np.cos(angle)
