"""One learnable factor for each class."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="keras_lt")
class LWS(keras.layers.Layer):
    """Learnable weight scaling: each class's logit times its own factor.

    On the logits of a frozen linear classifier, trained with class-balanced
    sampling, it rescales the class vectors and the biases: rare classes get
    larger factors. `fold` makes one linear layer of both.

    Args:
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: logits `(..., C)`.
    Returns: `(..., C)`, `scales * logits`; the factors start at 1.

    See also: `losses.LabelAwareSmoothing`; `models.scaled_classifier`.

    Example:
        >>> layer = LWS()
        >>> layer.build((None, 3))
        >>> tuple(layer.scales.shape)
        (3,)

    Source: Kang et al., ICLR 2020, section 4; `MCG-NJU/SSD-LT`, which scales
        the bias as well.
    """

    def build(self, input_shape):
        """Make the factors `(C,)`."""
        self.scales = self.add_weight(
            (input_shape[-1],), initializer="ones", name="scales"
        )

    def call(self, inputs):
        """Scale the logits."""
        return inputs * self.scales

    def fold(
        self, kernel: np.ndarray, bias: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Kernel and bias of a classifier that needs no factors.

        Args:
            kernel: `(features, C)` of the classifier before this layer.
            bias: `(C,)` of it.
        """
        scales = ops.convert_to_numpy(self.scales)
        return np.asarray(kernel) * scales, np.asarray(bias) * scales
