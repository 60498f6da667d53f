"""Accuracy on the test images while a model trains."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras
import numpy as np

from keras_lt import training
from keras_lt.data import Images


class TestAccuracy(keras.callbacks.Callback):
    """Add `test_accuracy` to the metrics of an epoch; nothing is chosen by it.

    Args:
        serve: Function from the training model to the one that is judged.
        images: Of the test split, `(N, H, W, channels)`.
        labels: Class ids `(N,)`.
        every: Epochs between two looks.
    """

    __test__ = False  # not for pytest

    def __init__(
        self,
        serve: Callable[[keras.Model], keras.Model],
        images: Images,
        labels: np.ndarray,
        every: int,
    ):
        super().__init__()
        self.serve = serve
        self.images = images
        self.labels = labels
        self.every = every

    def on_train_begin(self, logs=None):
        """Make the model that is judged; it shares the weights."""
        self._served = self.serve(self.model)

    def on_epoch_end(self, epoch, logs=None):
        """Judge."""
        if (epoch + 1) % self.every == 0:
            logits = training.predict_logits(self._served, self.images)
            right = logits.argmax(-1) == self.labels
            logs["test_accuracy"] = float(right.mean())


def best_test(
    epochs: Iterable[Mapping[str, Any]], stage: str
) -> dict[str, Any] | None:
    """Best accuracy on the test images in a stage, if it was looked at.

    Args:
        epochs: Metrics of every epoch, with the name of its stage.
        stage: Name of the stage.

    Returns:
        `{"epoch": E, "overall": accuracy}`, with epochs of the stage from 1.
    """
    seen = [
        (line["test_accuracy"], line["epoch"] + 1)
        for line in epochs
        if line["stage"] == stage and "test_accuracy" in line
    ]
    if not seen:
        return None
    accuracy, epoch = max(seen)
    return {"epoch": epoch, "overall": accuracy}
