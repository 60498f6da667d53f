"""Cross entropy of logits that are shifted by the classes' priors."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.losses.checks import check_logits
from keras_lt.losses.softmax_crossentropy import SoftmaxCrossentropy
from keras_lt.ops import check_smoothing


@keras.saving.register_keras_serializable(package="keras_lt")
class LogitAdjustedLoss(keras.losses.Loss):
    """Cross entropy of `logits + tau * ln(prior)`.

    A frequent class gets its lead as a present, so the network need not learn
    it: what it then says, without the shift, suits classes that are equally
    frequent. With `tau=1` this is the balanced softmax.

    Args:
        class_counts: Training images per class, length C, all > 0.
        tau: Exponent of the priors; 0 is plain cross entropy. Several are
            those of E experts: with different ones, some say more of frequent
            classes and others of rare ones.
        label_smoothing: Share of each label that all classes get alike, in
            [0, 1).
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or `(B, C)`
        probabilities of the classes; logits `(B, C)`, or `(B, E, C)` of E
        experts that each have a loss of their own.
    Returns: values `(B,)` in nats, then reduced by Keras.
    Raises: ValueError: if a count is not positive, naming the class; when
        called, if several `tau` are not as many as the experts.

    See also: `SoftmaxCrossentropy`; `ClassBalancedLoss`, which weighs images
        instead; `evaluation.shifted_prior`, after training.

    Example:
        >>> loss = LogitAdjustedLoss((75, 25))
        >>> round(float(loss(ops.array([1]), ops.zeros((1, 2)))), 4)  # ln 4
        1.3863

    Source: Menon et al., ICLR 2021, `google-research:logit_adjustment`; Ren et
        al., NeurIPS 2020, `jiawei-ren/BalancedMetaSoftmax`; Zhou & Luo, CVPR
        2026 (one `tau` for each expert).
    Differs from the released code: a class without images is an error; there
        it has a prior of 1e-12.
    """

    @checked
    def __init__(
        self,
        class_counts: Sequence[int],
        *,
        tau: float | Sequence[float] = 1.0,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "logit_adjusted_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.label_smoothing = check_smoothing(label_smoothing)
        self.class_counts = stats.check_class_counts(class_counts)
        self.tau: Any = tau
        if not isinstance(tau, int | float):
            self.tau = [*map(float, tau)]
        total = sum(self.class_counts)
        log_priors = [math.log(n / total) for n in self.class_counts]
        # (C,), or (E, C)
        self._shift = np.multiply.outer(self.tau, log_priors).tolist()
        self._plain = SoftmaxCrossentropy(label_smoothing=label_smoothing)

    def call(self, y_true, y_pred):
        """Return the values `(B,)`."""
        y_pred = ops.convert_to_tensor(y_pred)
        check_logits(y_pred, self.class_counts)
        if isinstance(self.tau, list):
            self._check_experts(y_pred.shape)
        return self._plain.call(y_true, y_pred + ops.array(self._shift))

    def _check_experts(self, shape):
        if len(shape) != 3 or shape[1] != len(self.tau):
            raise ValueError(
                f"`tau` has {len(self.tau)} values, so logits must be "
                f"(B, {len(self.tau)}, C), got {tuple(shape)}"
            )

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "class_counts": list(self.class_counts),
            "tau": self.tau,
            "label_smoothing": self.label_smoothing,
        }
