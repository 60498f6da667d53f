"""Distillation inside a model, for a plain `fit`."""

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.keras_internals import OwnLosses
from keras_lt.ops import kl_divergence


@keras.saving.register_keras_serializable(package="keras_lt")
class Distillation(OwnLosses, keras.layers.Layer):
    """Pass the student's logits on, and add a loss towards the teacher's.

    With the student's logits s and the teacher's t, the loss is

        weight * T^2 * mean over the batch of
            KL(softmax(t / T) || softmax(s / T))

    It is added while training, next to the loss of `compile`, without a
    gradient to the teacher. The weight in force is the layer's variable
    `current_weight`, which `callbacks.DistillationWarmup` ramps up.

    Args:
        temperature: T, > 0.
        weight: Of the loss, >= 0.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Call arguments: student's and teacher's logits, each `(B, C)`, or
        `(B, V, C)` with V views whose mean is compared.
    Returns: the student's logits, unchanged.
    Raises: ValueError: if `temperature` is not positive or `weight` negative.

    See also: `callbacks.TeacherUpdate`; `callbacks.DistillationWarmup`;
        `losses.DistillationLoss`.

    Example:
        >>> images = keras.Input((8,))
        >>> student, teacher = keras.layers.Dense(3), keras.layers.Dense(3)
        >>> teacher.trainable = False
        >>> logits = Distillation()(student(images), teacher(images))
        >>> model = keras.Model(images, logits)

    Source: Hinton et al., 2015.
    """

    @checked
    def __init__(
        self, *, temperature: float = 1.5, weight: float = 1.0, **kwargs
    ):
        super().__init__(**kwargs)
        if not temperature > 0:
            raise ValueError(f"`temperature` must be > 0, got {temperature}")
        if not weight >= 0:
            raise ValueError(f"`weight` must be >= 0, got {weight}")
        self.temperature = temperature
        self.weight = weight

    def build(self, student_shape, teacher_shape):
        """Make the variable with the weight in force."""
        self.current_weight = self.add_weight(
            (),
            initializer=keras.initializers.Constant(self.weight),
            trainable=False,
            dtype="float32",
            autocast=False,
            name="current_weight",
        )

    def call(self, student, teacher, training=False):
        """Add the loss and return the student's logits."""
        if training:
            log_p = self._log_softmax(ops.stop_gradient(teacher))
            log_q = self._log_softmax(student)
            factor = self.temperature**2 * ops.stop_gradient(
                self.current_weight
            )
            self.add_loss(factor * ops.mean(kl_divergence(log_p, log_q)))
        return student

    def _log_softmax(self, logits):
        logits = ops.cast(logits, "float32")
        if len(logits.shape) == 3:
            logits = ops.mean(logits, axis=1)  # (B, V, C) -> (B, C)
        return ops.log_softmax(logits / self.temperature)

    def compute_output_shape(self, student_shape, teacher_shape):
        """Return the shape of the student's logits."""
        return student_shape

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "weight": self.weight,
        }
