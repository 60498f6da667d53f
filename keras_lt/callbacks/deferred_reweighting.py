"""Class weights that come into force late in training."""

import keras
import numpy as np

from keras_lt.checking import checked

LATE = ("class_weights", "class_temperatures")


class DeferredReweighting(keras.callbacks.Callback):
    """Train with equal class weights first, with the loss's own from `epoch`.

    For a plain `fit` whose loss has `class_weights`, such as
    `losses.ClassBalancedLoss`, or `losses.LDAMLoss` and `losses.RIDELoss` with
    `reweighted=True`; temperatures by class are held back with them. When the
    epoch comes (or at once, when training resumes after it) the compiled step
    is traced anew, so that the change is seen on every backend. After training
    the loss has its weights again.

    Args:
        epoch: First epoch (from 0) with the loss's class weights.

    Of several losses, a dictionary or list of those of a model's outputs, it
    holds back the weights of all that have some.

    Raises: ValueError: when training starts, if no loss of the model has
        `class_weights`, or if `epoch` is negative.

    See also: `losses.LDAMLoss`; `losses.ClassBalancedLoss`.

    Example:
        >>> from keras_lt.losses import ClassBalancedLoss
        >>> model = keras.Sequential([keras.layers.Dense(2)])
        >>> model.compile("sgd", ClassBalancedLoss([90, 10]))
        >>> x, y = np.ones((4, 3)), np.array([0, 0, 0, 1])
        >>> drw = DeferredReweighting(epoch=1)
        >>> _ = model.fit(x, y, epochs=2, callbacks=[drw], verbose=0)

    Source: Cao et al., NeurIPS 2019 (LDAM-DRW).
    Differs from the released code: with `ClassBalancedLoss` the mean divides
        by the number of images, not by the sum of weights.
    """

    @checked
    def __init__(self, epoch: int):
        super().__init__()
        if epoch < 0:
            raise ValueError(f"`epoch` must be >= 0, got {epoch}")
        self.epoch = epoch
        self._own = []

    def on_train_begin(self, logs=None):
        """Remember the losses' weights."""
        self._own = [
            (loss, name, np.array(getattr(loss, name)))
            for loss in keras.tree.flatten(self.model.loss)
            if getattr(loss, "class_weights", None) is not None
            for name in LATE
            if getattr(loss, name, None) is not None
        ]
        if not self._own:
            raise ValueError(
                "`DeferredReweighting` needs a loss with `class_weights`, got "
                f"{self.model.loss!r}"
            )
        self._use([(*of, np.ones_like(own)) for *of, own in self._own])

    def on_epoch_begin(self, epoch, logs=None):
        """Switch when the time has come."""
        if epoch >= self.epoch:
            self._use(self._own)

    def on_train_end(self, logs=None):
        """Give the losses their weights back."""
        self._use(self._own)

    def _use(self, chosen):
        if all(np.array_equal(getattr(loss, k), v) for loss, k, v in chosen):
            return
        for loss, name, value in chosen:
            setattr(loss, name, value)
        self.model.make_train_function(force=True)
        self.model.make_test_function(force=True)
