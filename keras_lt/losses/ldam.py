"""Label-distribution-aware margins."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.losses.checks import check_logits, warn_of_margins
from keras_lt.ops import class_ids, take_class, weighted_mean_terms


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
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids; logits `(B, C)`,
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
        reduction: str | None = "sum_over_batch_size",
        name: str = "ldam_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
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
        labels = class_ids(y_true)
        dtype = y_pred.dtype
        margins = ops.convert_to_tensor(self.scale * self.margins, dtype)
        hit = ops.one_hot(labels, y_pred.shape[-1], dtype=dtype)
        log_p = ops.log_softmax(y_pred - hit * margins)  # (B, C)
        weights = ops.convert_to_tensor(self.class_weights, dtype)
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
        }
