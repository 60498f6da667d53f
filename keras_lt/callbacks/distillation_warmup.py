"""Distillation that grows over the first epochs."""

import keras

from keras_lt.callbacks.paths import find_layer
from keras_lt.checking import checked


class DistillationWarmup(keras.callbacks.Callback):
    """Ramp the weight of a `layers.Distillation` up to its full value.

    In epoch e (from 0) the weight in force is `weight * (e + 1) / epochs`, and
    from epoch `epochs - 1` on the layer's full `weight`, also when training
    resumes there. The weight is a variable of the layer, so the compiled step
    sees each change.

    Args:
        epochs: Length of the ramp, >= 1.
        layer: Name of the layer, or its path through nested models, such as
            `"student/distillation"`.

    Raises: ValueError: if `epochs` is not positive, or, when training starts,
        if there is no such layer or it has no `current_weight`.

    See also: `layers.Distillation`; `losses.DistillationLoss`.

    Source: [ours]; the released RIDE ramps the learning rate instead.
    """

    @checked
    def __init__(self, epochs: int, *, layer: str = "distillation"):
        super().__init__()
        if epochs < 1:
            raise ValueError(f"`epochs` must be >= 1, got {epochs}")
        self.epochs = epochs
        self.layer = layer

    def on_train_begin(self, logs=None):
        """Check the layer."""
        self._find()

    def on_epoch_begin(self, epoch, logs=None):
        """Set the weight of the epoch."""
        layer = self._find()
        share = min((epoch + 1) / self.epochs, 1.0)
        layer.current_weight.assign(layer.weight * share)

    def on_train_end(self, logs=None):
        """Leave the full weight."""
        layer = self._find()
        layer.current_weight.assign(layer.weight)

    def _find(self):
        layer = find_layer(self.model, self.layer)
        if not hasattr(layer, "current_weight"):
            raise ValueError(
                f"`layer`: {self.layer!r} has no weight to ramp, it must be a "
                "`layers.Distillation`"
            )
        return layer
