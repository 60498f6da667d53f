"""Distillation from a teacher that is one more view of the logits."""

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.ops import ids_or_shares, kl_divergence


@keras.saving.register_keras_serializable(package="keras_lt")
class DistillationLoss(keras.losses.Loss):
    """A loss on the students' logits, and the divergence from a teacher.

    With the mean zbar of the E students' logits and the teacher's logits t,

        loss(students) + weight * T^2 * KL(softmax(t / T) || softmax(zbar / T))

    and with `official_scale` E times that.

    Args:
        loss: Loss of the students, on `(B, E, C)`, such as a `RIDELoss`.
        temperature: T, > 0.
        weight: Of the divergence, >= 0.
        official_scale: Whether to multiply everything by E, as the released
            code does; it acts like an E times larger learning rate.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or, if `loss` takes
        them, `(B, C)` probabilities of the classes; logits `(B, E + 1, C)`,
        the teacher's last; they get no gradient.
    Returns: values `(B,)` in nats, then reduced by Keras.
    Raises: ValueError: if `temperature` is not positive or `weight` negative.

    See also: `layers.Distillation`, for a teacher that is part of the model;
        `HardSoftDistillation`.

    Example:
        >>> from keras_lt.losses import RIDELoss
        >>> plain = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> students = RIDELoss([90, 10], base=plain)
        >>> loss = DistillationLoss(students, official_scale=False)
        >>> round(float(loss([0, 1], ops.zeros((2, 3, 2)))), 4)  # 2 ln 2
        1.3863

    Source: Hinton et al., 2015; Wang et al., ICLR 2021;
        `frank-xwang/RIDE-LongTailRecognition:model/loss.py`.
    """

    @checked
    def __init__(
        self,
        loss: keras.losses.Loss,
        *,
        temperature: float = 1.5,
        weight: float = 1.0,
        official_scale: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "distillation_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        if not temperature > 0:
            raise ValueError(f"`temperature` must be > 0, got {temperature}")
        if not weight >= 0:
            raise ValueError(f"`weight` must be >= 0, got {weight}")
        self.loss = loss
        self.temperature = temperature
        self.weight = weight
        self.official_scale = official_scale

    def call(self, y_true, y_pred):
        """Return the values `(B,)`."""
        students, teacher = y_pred[:, :-1], y_pred[:, -1]
        mean = ops.mean(students, axis=1)  # (B, E, C) -> (B, C)
        log_p = ops.log_softmax(ops.stop_gradient(teacher) / self.temperature)
        log_q = ops.log_softmax(mean / self.temperature)
        factor = self.weight * self.temperature**2
        values = self.loss.call(ids_or_shares(y_true), students)
        values = values + factor * kl_divergence(log_p, log_q)
        return values * (students.shape[1] if self.official_scale else 1)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "loss": keras.losses.serialize(self.loss),
            "temperature": self.temperature,
            "weight": self.weight,
            "official_scale": self.official_scale,
        }

    @classmethod
    def from_config(cls, config):
        """Make the loss from its arguments."""
        loss = keras.losses.deserialize(config["loss"])
        return cls(**{**config, "loss": loss})
