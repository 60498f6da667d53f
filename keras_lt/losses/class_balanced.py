"""The class-balanced loss."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.losses.checks import check_logits
from keras_lt.ops import (
    are_mixed,
    check_smoothing,
    class_ids,
    class_shares,
    log_one_minus_exp,
    of_every_expert,
    smoothed,
    take_class,
)

FORMS = ("softmax_crossentropy", "softmax_bce")
LOG_FLOOR = -100.0  # PyTorch's binary cross entropy clamps logarithms here.


@keras.saving.register_keras_serializable(package="keras_lt")
class ClassBalancedLoss(keras.losses.Loss):
    """Cross entropy weighted by the inverse effective number of each class.

    With p = softmax(logits), label y and class weights w that sum to C, the
    loss of an image is, by `form`,

        "softmax_crossentropy":  -w[y] * log p[y]
        "softmax_bce":           -w[y] / C * (log p[y]
                                              + sum_{c != y} log(1 - p[c]))

    The second, a binary cross entropy on softmax probabilities, is about C
    times smaller: tune weight decay for one form, not for both.

    Args:
        class_counts: Training images per class, length C, all > 0.
        beta: Of the effective number, in [0, 1): 0 weighs all classes alike,
            towards 1 the weights become inverse frequencies.
        form: `"softmax_crossentropy"` or `"softmax_bce"`.
        label_smoothing: Share of each label that all classes get alike, in
            [0, 1).
        reduction: As in `keras.losses.Loss`; the mean divides by the number
            of images, not by the sum of weights.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or `(B, C)`
        probabilities of the classes; logits `(B, C)`, or `(B, E, C)` of E
        experts that each have a loss of their own.
    Returns: values `(B,)` in nats, then reduced by Keras.
    Raises: ValueError: if a count is not positive, `beta` is outside [0, 1),
        or `form` is unknown.

    See also: `LDAMLoss`; `callbacks.DeferredReweighting`;
        `constraints.ClassMaxNorm`, beside it in weight balancing.

    Example:
        >>> loss = ClassBalancedLoss([500, 50, 5])
        >>> labels, logits = ops.array([0, 2]), ops.zeros((2, 3))
        >>> round(float(loss(labels, logits)), 4)
        1.4992

    Source: Cui et al., CVPR 2019; released code
        `ShadeAlsha/LTR-weight-balancing:utils/class_balanced_loss.py`, whose
        loss type "softmax" is the form "softmax_bce".
    Differs from the released code: weights come from expm1, not `beta**n`;
        at large logits "softmax_bce" keeps the formula's gradient, which
        probabilities that are rounded to 0 or 1 lose there.
    """

    @checked
    def __init__(
        self,
        class_counts: Sequence[int],
        *,
        beta: float = 0.9999,
        form: str = "softmax_crossentropy",
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "class_balanced_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.label_smoothing = check_smoothing(label_smoothing)
        if form not in FORMS:
            raise ValueError(f"`form` must be one of {FORMS}, got {form!r}")
        self.class_counts = list(stats.check_class_counts(class_counts))
        self.beta = beta
        self.form = form
        weights = stats.class_balanced_weights(class_counts, beta)
        self.class_weights = weights.astype("float32")

    def call(self, y_true, y_pred):
        """Return the values `(B,)`."""
        check_logits(y_pred, self.class_counts)
        y_true = smoothed(y_true, y_pred, self.label_smoothing)
        return of_every_expert(self._compare, y_true, y_pred)

    def _compare(self, labels, logits):
        weights = ops.convert_to_tensor(self.class_weights, logits.dtype)
        log_p = ops.log_softmax(logits)  # (B, C)
        if are_mixed(labels):
            every = weights * self._every(log_p)
            return ops.sum(class_shares(labels, logits) * every, -1)
        labels = class_ids(labels)
        values = _crossentropy(log_p, labels)
        if self.form == "softmax_bce":
            values = _binary_crossentropy(log_p, labels)
        return ops.take(weights, labels) * values

    def _every(self, log_p):
        """What the loss were for each class as the label `(B, C)`."""
        if self.form == "softmax_crossentropy":
            return -log_p
        log_q = log_one_minus_exp(log_p, LOG_FLOOR)
        others = ops.sum(log_q, -1, keepdims=True) - log_q
        values = ops.maximum(log_p, LOG_FLOOR) + others
        return -values / np.float32(log_p.shape[-1])

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "beta": self.beta,
            "form": self.form,
            "label_smoothing": self.label_smoothing,
        }


def _crossentropy(log_p, labels):
    return -take_class(log_p, labels)


def _binary_crossentropy(log_p, labels):
    hit = ops.one_hot(labels, log_p.shape[-1], dtype=log_p.dtype)
    log_p_label = ops.maximum(take_class(log_p, labels), LOG_FLOOR)
    log_q = log_one_minus_exp(log_p, LOG_FLOOR)
    log_q_others = ops.sum((1 - hit) * log_q, -1)
    return -(log_p_label + log_q_others) / np.float32(log_p.shape[-1])
