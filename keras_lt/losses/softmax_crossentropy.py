"""Cross entropy, to class ids or to mixed labels."""

import keras

from keras_lt.checking import checked
from keras_lt.losses.checks import check_logits
from keras_lt.ops import (
    are_mixed,
    check_smoothing,
    of_every_expert,
    smoothed,
)


@keras.saving.register_keras_serializable(package="keras_lt")
class SoftmaxCrossentropy(keras.losses.Loss):
    """Cross entropy of softmax probabilities, summed over experts.

    To class ids it is Keras's `SparseCategoricalCrossentropy`, bit by bit; to
    labels that a transform such as mixup has mixed, `CategoricalCrossentropy`.

    Args:
        label_smoothing: Share of each label that all classes get alike, in
            [0, 1).
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or `(B, C)`
        probabilities of the classes; logits `(B, C)`, or `(B, E, C)` of E
        experts that each have a loss of their own.
    Returns: values `(B,)` in nats, then reduced by Keras.

    See also: `LogitAdjustedLoss`, which knows the priors; `FocalLoss`.

    Example:
        >>> loss, logits = SoftmaxCrossentropy(), keras.ops.zeros((2, 3))
        >>> round(float(loss(keras.ops.array([0, 1]), logits)), 4)  # ln 3
        1.0986
        >>> mixed = keras.ops.array([[0.5, 0.5, 0], [0, 0.3, 0.7]])
        >>> round(float(loss(mixed, logits)), 4)
        1.0986
    """

    @checked
    def __init__(
        self,
        *,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "softmax_crossentropy",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.label_smoothing = check_smoothing(label_smoothing)

    def call(self, y_true, y_pred):
        """Return the values `(B,)`."""
        check_logits(y_pred)
        y_true = smoothed(y_true, y_pred, self.label_smoothing)
        return of_every_expert(_crossentropy, y_true, y_pred)

    def get_config(self):
        """Return the arguments."""
        own = {"label_smoothing": self.label_smoothing}
        return {**super().get_config(), **own}


def _crossentropy(labels, logits):
    compare = (
        keras.losses.categorical_crossentropy
        if are_mixed(labels)
        else keras.losses.sparse_categorical_crossentropy
    )
    return compare(labels, logits, from_logits=True)
