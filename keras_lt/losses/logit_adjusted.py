"""Cross entropy of logits that are shifted by the classes' priors."""

import math
from collections.abc import Sequence

import keras
from keras import ops

from keras_lt import stats
from keras_lt.losses.softmax_crossentropy import SoftmaxCrossentropy


@keras.saving.register_keras_serializable(package="keras_lt")
class LogitAdjustedLoss(keras.losses.Loss):
    """Cross entropy of `logits + tau * ln(prior)`.

    A frequent class gets its lead as a present, so the network need not learn
    it: what it then says, without the shift, suits classes that are equally
    frequent. With `tau=1` this is the balanced softmax.

    Args:
        class_counts: Training images per class, length C, all > 0.
        tau: Exponent of the priors; 0 is plain cross entropy.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or `(B, C)`
        probabilities of the classes; logits `(B, C)`, or `(B, E, C)` of E
        experts that each have a loss of their own.
    Returns: values `(B,)` in nats, then reduced by Keras.
    Raises: ValueError: if a count is not positive, naming the class.

    Example:
        >>> loss = LogitAdjustedLoss((75, 25))
        >>> round(float(loss(ops.array([1]), ops.zeros((1, 2)))), 4)  # ln 4
        1.3863

    Source: Menon et al., ICLR 2021, `google-research:logit_adjustment`; Ren et
        al., NeurIPS 2020, `jiawei-ren/BalancedMetaSoftmax`.
    Differs from the released code: a class without images is an error; there
        it has a prior of 1e-12.
    """

    def __init__(
        self,
        class_counts: Sequence[int],
        *,
        tau: float = 1.0,
        reduction: str = "sum_over_batch_size",
        name: str = "logit_adjusted_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.class_counts = stats.check_class_counts(class_counts)
        self.tau = tau
        total = sum(self.class_counts)
        self._shift = [tau * math.log(n / total) for n in self.class_counts]
        self._plain = SoftmaxCrossentropy()

    def call(self, y_true, y_pred):
        """Return the values `(B,)`."""
        y_pred = ops.convert_to_tensor(y_pred)
        return self._plain.call(y_true, y_pred + ops.array(self._shift))

    def get_config(self):
        """Return the arguments."""
        own = {"class_counts": list(self.class_counts), "tau": self.tau}
        return {**super().get_config(), **own}
