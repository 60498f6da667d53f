"""One head for a teacher's soft labels, another one for the labels."""

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.ops import kl_divergence, of_label


@keras.saving.register_keras_serializable(package="keras_lt")
class HardSoftDistillation(keras.losses.Loss):
    """Divergence of a soft head from a teacher, cross entropy of a hard head.

    With the logits of the soft head, of the hard head and of the teacher,

        hard_weight * CE(hard, label)
            + soft_weight * T^2 * KL(softmax(teacher / T) || softmax(soft / T))

    The heads share an encoder; neither sees the other one's target.

    Args:
        temperature: T, > 0.
        hard_weight: Of the labels, >= 0; with 0 there is no hard head.
        soft_weight: Of the teacher, >= 0.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or `(B, C)`
        probabilities of the classes; logits `(B, 3, C)`: soft, hard, teacher;
        or `(B, 2, C)` without the hard head. The teacher's get no gradient.
    Returns: values `(B,)` in nats, then reduced by Keras.
    Raises: ValueError: if `temperature` is not positive, or a weight is
        negative.

    See also: `DistillationLoss`; `models.two_headed`, which gives its logits.

    Example:
        >>> loss = HardSoftDistillation()
        >>> round(float(loss([0, 1], ops.zeros((2, 3, 2)))), 4)  # ln 2
        0.6931

    Source: Li et al., ICCV 2021; `MCG-NJU/SSD-LT`.
    """

    @checked
    def __init__(
        self,
        *,
        temperature: float = 2.0,
        hard_weight: float = 1.0,
        soft_weight: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "hard_soft_distillation",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        if not temperature > 0:
            raise ValueError(f"`temperature` must be > 0, got {temperature}")
        for argument, value in (
            ("hard_weight", hard_weight),
            ("soft_weight", soft_weight),
        ):
            if not value >= 0:
                raise ValueError(f"`{argument}` must be >= 0, got {value}")
        self.temperature = temperature
        self.hard_weight = hard_weight
        self.soft_weight = soft_weight

    def call(self, y_true, y_pred):
        """Return the values `(B,)`."""
        soft, *hard, teacher = (
            y_pred[:, view] for view in range(y_pred.shape[1])
        )
        teacher = ops.stop_gradient(teacher)
        divergence = kl_divergence(
            ops.log_softmax(teacher / self.temperature),
            ops.log_softmax(soft / self.temperature),
        )
        values = self.soft_weight * self.temperature**2 * divergence
        if not self.hard_weight:
            return values
        log_p = of_label(ops.log_softmax(hard[0]), y_true)
        return values - self.hard_weight * log_p

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "hard_weight": self.hard_weight,
            "soft_weight": self.soft_weight,
        }
