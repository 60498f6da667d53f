"""The focal loss, with class weights if need be."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.losses.checks import check_logits
from keras_lt.ops import (
    are_mixed,
    check_smoothing,
    class_ids,
    class_shares,
    of_every_expert,
    smoothed,
    take_class,
)

LEAST = 1e-7  # keeps the gradient of a power below 1 finite


@keras.saving.register_keras_serializable(package="keras_lt")
class FocalLoss(keras.losses.Loss):
    """Cross entropy that passes over what is already right.

    With l = -w[y] * log p[y], p = softmax(logits) and class weights w that
    sum to C, the loss of an image is

        (1 - exp(-l)) ** gamma * l

    Without class weights that is (1 - p[y]) ** gamma times the cross entropy.
    To mixed labels it is the mean over the classes, by their shares.

    Args:
        class_counts: Training images per class, length C, all > 0.
        gamma: How strongly what is right is passed over, >= 0; 0 for not at
            all.
        beta: Of the effective number, in [0, 1): 0 weighs all classes alike,
            towards 1 the weights become inverse frequencies.
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
    Raises: ValueError: if a count is not positive, or `gamma` or `beta` is
        out of range.

    See also: `ClassBalancedLoss`; `callbacks.DeferredReweighting`.

    Example:
        >>> loss = FocalLoss([500, 50, 5])
        >>> labels, logits = ops.array([0, 2]), ops.zeros((2, 3))
        >>> round(float(loss(labels, logits)), 4)  # 2 / 3 ln 3
        0.7324

    Source: Lin et al., ICCV 2017; `kaidic/LDAM-DRW:losses.py`, whose class
        weights stand inside of the exponential, unlike those of the sigmoid
        form of Cui et al., CVPR 2019.
    Differs from the released code: 1 - exp(-l) is at least 1e-7.
    """

    @checked
    def __init__(
        self,
        class_counts: Sequence[int],
        *,
        gamma: float = 1.0,
        beta: float = 0.0,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "focal_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.label_smoothing = check_smoothing(label_smoothing)
        if not gamma >= 0:
            raise ValueError(f"`gamma` must be >= 0, got {gamma}")
        self.class_counts = list(stats.check_class_counts(class_counts))
        self.gamma = gamma
        self.beta = beta
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
            every = self._focused(-weights * log_p)
            return ops.sum(class_shares(labels, logits) * every, -1)
        ids = class_ids(labels)
        return self._focused(-ops.take(weights, ids) * take_class(log_p, ids))

    def _focused(self, values):
        missing = ops.maximum(-ops.expm1(-values), LEAST)
        return missing**self.gamma * values

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "gamma": self.gamma,
            "beta": self.beta,
            "label_smoothing": self.label_smoothing,
        }
