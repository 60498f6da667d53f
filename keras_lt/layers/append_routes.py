"""Router logits beside class logits, to train on one tensor."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_lt")
class AppendRoutes(keras.layers.Layer):
    """Put the router logits behind the class logits, as one tensor to train.

    Call arguments: logits `(B, E, C)` and router logits `(B, E - 1)`.
    Returns: `(B, E, C + 1)`: the last column holds the logit of the router
        after that expert, 0 for the last expert.

    See also: `ExpertRouter`; `losses.RouterLoss`, which takes them.

    Example:
        >>> tuple(AppendRoutes()(ops.ones((2, 3, 5)), ops.ones((2, 2))).shape)
        (2, 3, 6)
    """

    def call(self, logits, routes):
        """Append the column."""
        column = ops.pad(ops.cast(routes, logits.dtype), [[0, 0], [0, 1]])
        return ops.concatenate([logits, column[:, :, None]], axis=-1)
