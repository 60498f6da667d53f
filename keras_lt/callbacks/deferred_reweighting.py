"""Class weights that come into force late in training."""

import keras
import numpy as np


class DeferredReweighting(keras.callbacks.Callback):
    """Train with equal class weights first, with the loss's own from `epoch`.

    For a plain `fit` whose loss has `class_weights`, such as
    `losses.ClassBalancedLoss`. When the epoch comes (or at once, when training
    resumes after it) the compiled step is traced anew, so that the change is
    seen on every backend. After training the loss has its weights again.

    Args:
        epoch: First epoch (from 0) with the loss's class weights.

    Raises: ValueError: when training starts, if the model's loss has no
        `class_weights`, or if `epoch` is negative.

    Example:
        >>> from keras_lt.losses import ClassBalancedLoss
        >>> model = keras.Sequential([keras.layers.Dense(2)])
        >>> model.compile("sgd", ClassBalancedLoss([90, 10]))
        >>> x, y = np.ones((4, 3)), np.array([0, 0, 0, 1])
        >>> drw = DeferredReweighting(epoch=1)
        >>> _ = model.fit(x, y, epochs=2, callbacks=[drw], verbose=0)

    Source: Cao et al., NeurIPS 2019 (LDAM-DRW).
    Differs from the released code: the mean divides by the number of images,
        as Keras losses do, not by the sum of weights.
    """

    def __init__(self, epoch: int):
        super().__init__()
        if epoch < 0:
            raise ValueError(f"`epoch` must be >= 0, got {epoch}")
        self.epoch = epoch
        self._weights = None

    def on_train_begin(self, logs=None):
        """Remember the loss's weights."""
        weights = getattr(self.model.loss, "class_weights", None)
        if weights is None:
            raise ValueError(
                "`DeferredReweighting` needs a loss with `class_weights`, got "
                f"{self.model.loss!r}"
            )
        self._weights = np.array(weights)
        self._use(np.ones_like(self._weights))

    def on_epoch_begin(self, epoch, logs=None):
        """Switch when the time has come."""
        if epoch >= self.epoch:
            self._use(self._weights)

    def on_train_end(self, logs=None):
        """Give the loss its weights back."""
        self._use(self._weights)

    def _use(self, weights):
        if np.array_equal(self.model.loss.class_weights, weights):
            return
        self.model.loss.class_weights = weights
        self.model.make_train_function(force=True)
        self.model.make_test_function(force=True)
