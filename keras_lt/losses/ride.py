"""The loss of diverse distribution-aware experts."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.losses.checks import check_logits
from keras_lt.losses.ldam import LDAMLoss
from keras_lt.ops import ids_or_shares, kl_divergence

DIVERGENCES = ("ensemble", "pairwise")


@keras.saving.register_keras_serializable(package="keras_lt")
class RIDELoss(keras.losses.Loss):
    """An own loss for every expert, and a reward for disagreement.

    With logits z[e] of E experts, their mean zbar and temperatures T (one a
    class), the loss is, by `divergence`,

        "ensemble":  sum_e base(z[e]) + diversity * mean(T)^2
                     * KL(softmax(zbar / T) || softmax(z[e] / T))
        "pairwise":  sum_e base(z[e]) + diversity / (E - 1)
                     * sum_{j != e} KL(softmax(z[e] / T) || softmax(z[j] / T))

    The first is the released form, without a gradient through its mean
    prediction; the second is the paper's. A negative `diversity` drives
    experts apart, and lower temperatures do so more on rare classes. The
    divergence has no bound: use bounded logits, as of
    `layers.CosineClassifier`.

    Args:
        class_counts: Training images per class, length C, all > 0.
        base: Loss of one expert on logits `(B, C)`; by default an `LDAMLoss`
            with the same `reweighted`.
        diversity: Coefficient lambda of the divergence; 0 leaves the sum of
            the experts' own losses, and nothing else.
        divergence: `"ensemble"` or `"pairwise"`.
        gamma: How far the temperatures of the classes differ, >= 0.
        reweighted: Whether the deferred phase has begun: temperatures differ
            by class, and the default `base` has class weights. Before, all
            temperatures are 1. In a plain `fit`,
            `callbacks.DeferredReweighting` holds both back until late.
        collaborative: Whether all experts share the base loss of their mean
            logits, `E * base(zbar)`, without a divergence.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or, if `base` takes
        them, `(B, C)` probabilities of the classes; logits `(B, E, C)`.
    Returns: values `(B,)` in nats, then reduced by Keras.
    Raises: ValueError: if a count is not positive, `divergence` is unknown, or
        `gamma` leaves a temperature that is not positive.

    See also: `models.multi_expert` and `models.Experts`, which give its logits;
        `RouterLoss`, of the stage after it.

    Example:
        >>> loss = RIDELoss([100, 10, 1], reweighted=True)
        >>> [round(float(t), 4) for t in loss.class_temperatures]
        [1.0, 0.8879, 0.8767]

    Source: Wang et al., ICLR 2021, eq. 2 and 3;
        `frank-xwang/RIDE-LongTailRecognition:model/loss.py`.
    Differs from the released code: `diversity=0` does not turn on the
        collaborative loss.
    """

    @checked
    def __init__(
        self,
        class_counts: Sequence[int],
        *,
        base: keras.losses.Loss | None = None,
        diversity: float = -0.45,
        divergence: str = "ensemble",
        gamma: float = 0.05,
        reweighted: bool = False,
        collaborative: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "ride_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        if divergence not in DIVERGENCES:
            raise ValueError(
                f"`divergence` must be one of {DIVERGENCES}, got {divergence!r}"
            )
        self.class_counts = list(stats.check_class_counts(class_counts))
        self.base = base or LDAMLoss(class_counts, reweighted=reweighted)
        self.diversity = diversity
        self.divergence = divergence
        self.gamma = gamma
        self.reweighted = reweighted
        self.collaborative = collaborative
        temperatures = _temperatures(self.class_counts, gamma, divergence)
        if not reweighted:
            temperatures = np.ones_like(temperatures)
        self.class_temperatures = temperatures.astype("float32")

    @property
    def class_weights(self) -> Any:
        """Class weights `(C,)` of the base loss, where it has any."""
        return self.base.class_weights

    @class_weights.setter
    def class_weights(self, weights: Any) -> None:
        self.base.class_weights = weights

    def call(self, y_true, y_pred):
        """Return the values `(B,)` of labels `(B,)`, logits `(B, E, C)`."""
        check_logits(y_pred, self.class_counts)
        labels = ids_or_shares(y_true)
        experts = y_pred.shape[1]
        if self.collaborative:
            mean = ops.mean(y_pred, axis=1)  # (B, E, C) -> (B, C)
            return experts * self.base.call(labels, mean)
        values = sum(
            self.base.call(labels, y_pred[:, e]) for e in range(experts)
        )
        if self.diversity and experts > 1:
            values = values + self.diversity * self._divergence(y_pred)
        return values

    def _divergence(self, logits):
        temperatures = np.asarray(self.class_temperatures)
        inverse = ops.convert_to_tensor(1 / temperatures, logits.dtype)
        log_q = ops.log_softmax(logits * inverse)  # (B, E, C)
        if self.divergence == "ensemble":
            mean = ops.mean(logits, axis=1, keepdims=True)  # (B, 1, C)
            log_p = ops.stop_gradient(ops.log_softmax(mean * inverse))
            factor = float(temperatures.mean()) ** 2
            return factor * ops.sum(kl_divergence(log_p, log_q), -1)
        pairs = kl_divergence(log_q[:, :, None], log_q[:, None])  # (B, E, E)
        return ops.sum(pairs, (1, 2)) / (logits.shape[1] - 1)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "base": keras.losses.serialize(self.base),
            "diversity": self.diversity,
            "divergence": self.divergence,
            "gamma": self.gamma,
            "reweighted": self.reweighted,
            "collaborative": self.collaborative,
        }

    @classmethod
    def from_config(cls, config):
        """Make the loss from its arguments."""
        base = keras.losses.deserialize(config["base"])
        return cls(**{**config, "base": base})


def _temperatures(class_counts, gamma, divergence):
    """Temperatures `(C,)` in (0, 1], lower for rarer classes."""
    counts = np.asarray(class_counts, "float64")
    b = gamma * counts / counts.mean() + 1 - gamma
    released = divergence == "ensemble"
    temperatures = b / b.max() if released else b + 1 - b.max()
    if not (gamma >= 0 and b.min() > 0 and temperatures.min() > 0):
        raise ValueError(
            "`gamma` must be >= 0 and leave every temperature positive, got "
            f"{gamma}"
        )
    return temperatures
