"""Label-distribution-aware margins."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.losses.checks import check_logits, warn_of_margins
from keras_lt.ops import (
    are_mixed,
    check_smoothing,
    class_ids,
    class_shares,
    mean_over_replicas,
    smoothed,
    take_class,
    weighted_mean_terms,
)

LEAST = 1e-30  # of what a logarithm is taken


@keras.saving.register_keras_serializable(package="keras_lt")
class LDAMLoss(keras.losses.Loss):
    """Cross entropy with a margin that is wider for rarer classes (LDAM).

    The logit of the label is lowered by `scale * m[y]` before the softmax,
    `m[c] = max_margin * (n[c] / min(n)) ** -1/4`. With `reweighted`, the
    deferred phase (DRW), an image also weighs the inverse effective number of
    its class, and the mean divides by the sum of the weights.

    Args:
        class_counts: Training images per class, length C, all > 0.
        scale: Factor that the logits already hold, as those of
            `layers.CosineClassifier`; here it scales the margin alone.
        max_margin: Margin of the rarest class, as a difference of cosines,
            >= 0; 0 leaves plain cross entropy.
        beta: Of the effective number, in [0, 1).
        reweighted: Whether the class weights are in force. In a plain `fit`,
            `callbacks.DeferredReweighting` holds them back until late.
        label_smoothing: Share of each label that all classes get alike, in
            [0, 1).
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or `(B, C)`
        probabilities of the classes, whose values are mixed; logits `(B, C)`,
        scaled.
    Returns: values `(B,)` in nats whose mean is the weighted mean.
    Raises: ValueError: if a count is not positive, or `scale`, `max_margin`
        or `beta` is out of range.

    See also: `layers.CosineClassifier`, which gives its logits;
        `callbacks.DeferredReweighting`; `RIDELoss`, of several experts.

    Example:
        >>> loss = LDAMLoss([500, 50, 5], scale=1)
        >>> loss.margins.round(3).tolist()
        [0.158, 0.281, 0.5]

    Source: Cao et al., NeurIPS 2019, eq. 13; `kaidic/LDAM-DRW:losses.py`.
    Differs from the released code: the factor s is in the logits, as in
        `frank-xwang/RIDE-LongTailRecognition`; the values are the same.
    """

    @checked
    def __init__(
        self,
        class_counts: Sequence[int],
        *,
        scale: float = 30.0,
        max_margin: float = 0.5,
        beta: float = 0.9999,
        reweighted: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "ldam_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.label_smoothing = check_smoothing(label_smoothing)
        for argument, value in (("scale", scale), ("max_margin", max_margin)):
            if not value >= 0:
                raise ValueError(f"`{argument}` must be >= 0, got {value}")
        self.class_counts = list(stats.check_class_counts(class_counts))
        self.scale = scale
        self.max_margin = max_margin
        self.beta = beta
        self.reweighted = reweighted
        counts = np.asarray(self.class_counts, "float64")
        self.margins = max_margin * (counts / counts.min()) ** -0.25
        weights = stats.class_balanced_weights(
            class_counts, beta if reweighted else 0.0
        )
        self.class_weights = weights.astype("float32")

    def call(self, y_true, y_pred):
        """Return the values `(B,)` of labels `(B,)` and logits `(B, C)`."""
        check_logits(y_pred, self.class_counts)
        warn_of_margins(self.scale)
        y_true = smoothed(y_true, y_pred, self.label_smoothing)
        dtype = y_pred.dtype
        margins = ops.convert_to_tensor(self.scale * self.margins, dtype)
        weights = ops.convert_to_tensor(self.class_weights, dtype)
        if are_mixed(y_true):
            shares = weights * class_shares(y_true, y_pred)  # (B, C)
            values = ops.sum(shares * _of_every_class(y_pred, margins), -1)
            return values / mean_over_replicas(ops.mean(ops.sum(shares, -1)))
        labels = class_ids(y_true)
        hit = ops.one_hot(labels, y_pred.shape[-1], dtype=dtype)
        log_p = ops.log_softmax(y_pred - hit * margins)  # (B, C)
        return weighted_mean_terms(
            -take_class(log_p, labels), ops.take(weights, labels)
        )

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "scale": self.scale,
            "max_margin": self.max_margin,
            "beta": self.beta,
            "reweighted": self.reweighted,
            "label_smoothing": self.label_smoothing,
        }


def _of_every_class(logits, margins):
    """Values `(B, C)`, each as if its class were the label.

    The sum under the logarithm is that of all classes, without the share p of
    its own, and with that share of a lowered logit.
    """
    log_p = ops.log_softmax(logits)
    others = ops.maximum(-ops.expm1(log_p), 0.0)
    rest = others + ops.exp(log_p - margins)
    return margins - log_p + ops.log(ops.maximum(rest, LEAST))
