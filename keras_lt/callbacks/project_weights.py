"""Projection of weights once an epoch."""

from collections.abc import Callable

import keras

from keras_lt.callbacks.paths import find_layer
from keras_lt.checking import checked


class ProjectWeights(keras.callbacks.Callback):
    """Apply a constraint to one weight at the end of every epoch.

    A constraint given to a layer projects after every step; this is the other
    published clock, once after the last step of an epoch. Where `fit` validates
    after an epoch, it does so on projected weights.

    Args:
        constraint: Function from a weight to a weight of the same shape, such
            as `constraints.ClassMaxNorm(1.0)`.
        layer: Name of the layer, or its path through nested models, such as
            `"encoder/stem_conv"`.
        weight: Attribute of the layer that holds the variable.

    Raises: ValueError: when training starts, if there is no such layer or
        weight.

    See also: `constraints.ClassMaxNorm`, which Keras applies after each step.

    Source: Alshammari et al., CVPR 2022; released code
        `ShadeAlsha/LTR-weight-balancing`, projection "once per epoch".
    """

    @checked
    def __init__(
        self,
        constraint: Callable,
        *,
        layer: str = "head",
        weight: str = "kernel",
    ):
        super().__init__()
        self.constraint = constraint
        self.layer = layer
        self.weight = weight
        self._moved = False

    def on_train_begin(self, logs=None):
        """Check that the weight exists."""
        self._variable()

    def on_epoch_begin(self, epoch, logs=None):
        """Note that steps will move the weight from its last projection."""
        self._moved = True

    def on_test_begin(self, logs=None):
        """Project before the validation after an epoch, which `fit` runs."""
        self._project()

    def on_epoch_end(self, epoch, logs=None):
        """Project, if no validation has come before."""
        self._project()

    def _project(self):
        if self._moved:
            variable = self._variable()
            variable.assign(self.constraint(variable))
            self._moved = False

    def _variable(self):
        layer = find_layer(self.model, self.layer)
        variable = getattr(layer, self.weight, None)
        if variable is None:
            raise ValueError(
                f"`weight`: layer {self.layer!r} has no {self.weight!r}"
            )
        return variable
