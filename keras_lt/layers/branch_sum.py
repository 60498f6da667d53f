"""The features that residual branches have together."""

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.layers.residual_fusion import ResidualFusion


@keras.saving.register_keras_serializable(package="keras_lt")
class BranchSum(keras.layers.Layer):
    """Sum of the branches' features: what a plain classifier can go on with.

    The branches of a `ResidualFusion` share a linear classifier, so the sum of
    their logits is `sum_v(f_v) W + V b`: that of one classifier on this sum.

    Args:
        fusion: The branches; its classifier has no say here.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: feature map `(B, H, W, D)`.
    Returns: features `(B, D)`.

    See also: `ResidualFusion`; `models.fused`.

    Example:
        >>> total = BranchSum(ResidualFusion(10, branches=3))
        >>> tuple(total(ops.ones((2, 4, 4, 8))).shape)
        (2, 8)
    """

    @checked
    def __init__(self, fusion: ResidualFusion, **kwargs):
        super().__init__(**kwargs)
        self.fusion = fusion

    def build(self, input_shape):
        """Make the branches, if they are new."""
        if not self.fusion.built:
            self.fusion.build(input_shape)

    def call(self, inputs, training=False):
        """Return the sum."""
        return ops.sum(self.fusion.features(inputs, training), axis=1)

    def compute_output_shape(self, input_shape):
        """Return the shape of the features."""
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        """Return the arguments."""
        fusion = keras.saving.serialize_keras_object(self.fusion)
        return {**super().get_config(), "fusion": fusion}

    @classmethod
    def from_config(cls, config):
        """Make the layer from its arguments."""
        fusion = keras.saving.deserialize_keras_object(config["fusion"])
        return cls(**{**config, "fusion": fusion})
