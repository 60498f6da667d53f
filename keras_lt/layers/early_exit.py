"""The answer of the experts that routers ask for."""

import keras
from keras import ops

from keras_lt.ops import experts_run


@keras.saving.register_keras_serializable(package="keras_lt")
class EarlyExit(keras.layers.Layer):
    """Mean logits of the experts that the routers ask for.

    A row asks expert 1, and the next one while the router logit is above 0;
    what it asked for is averaged. All experts have been computed by then: this
    layer tells what routing answers, `models.gathered` also saves the work.

    Call arguments: logits `(B, E, C)` and router logits `(B, E - 1)`.
    Returns: logits `(B, C)`.

    See also: `ExpertRouter`; `models.gathered`, which skips experts.

    Example:
        >>> logits = ops.array([[[3.0, 0.0], [1.0, 2.0]]])
        >>> ops.convert_to_numpy(EarlyExit()(logits, ops.array([[0.1]])))
        array([[2., 1.]], dtype=float32)

    Source: Wang et al., ICLR 2021, section 3.2.
    """

    def call(self, logits, routes):
        """Average."""
        run = experts_run(routes)  # (B, E)
        share = run / ops.sum(run, axis=1, keepdims=True)
        share = ops.cast(share, logits.dtype)
        return ops.sum(share[:, :, None] * logits, axis=1)
