"""One head for a teacher's soft labels, another one for the labels."""

import keras
from keras import ops

from keras_lt.ops import class_ids, kl_divergence, take_class


@keras.saving.register_keras_serializable(package="keras_lt")
class HardSoftDistillation(keras.losses.Loss):
    """Divergence of a soft head from a teacher, cross entropy of a hard head.

    With the logits of the soft head, of the hard head and of the teacher,

        CE(hard, label) + T^2 * KL(softmax(teacher / T) || softmax(soft / T))

    The heads share an encoder; neither sees the other one's target.

    Args:
        temperature: T, > 0.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids; logits `(B, 3, C)`:
        soft, hard, teacher. The teacher's get no gradient.
    Returns: values `(B,)` in nats, then reduced by Keras.
    Raises: ValueError: if `temperature` is not positive.

    Example:
        >>> loss = HardSoftDistillation()
        >>> round(float(loss([0, 1], ops.zeros((2, 3, 2)))), 4)  # ln 2
        0.6931

    Source: Li et al., ICCV 2021; `MCG-NJU/SSD-LT`.
    """

    def __init__(
        self,
        *,
        temperature: float = 2.0,
        reduction: str = "sum_over_batch_size",
        name: str = "hard_soft_distillation",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        if not temperature > 0:
            raise ValueError(f"`temperature` must be > 0, got {temperature}")
        self.temperature = temperature

    def call(self, y_true, y_pred):
        """Return the values `(B,)`."""
        soft, hard, teacher = (y_pred[:, view] for view in range(3))
        teacher = ops.stop_gradient(teacher)
        values = -take_class(ops.log_softmax(hard), class_ids(y_true))
        return values + self.temperature**2 * kl_divergence(
            ops.log_softmax(teacher / self.temperature),
            ops.log_softmax(soft / self.temperature),
        )

    def get_config(self):
        """Return the arguments."""
        return {**super().get_config(), "temperature": self.temperature}
