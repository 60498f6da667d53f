"""Train 1,000 steps from given weights on given batches; print the losses.

Run by `test_parity.py`, once on each backend.
"""

import sys

import keras
import micro  # noqa: F401, makes itself known
import numpy as np
import toy

from keras_lt import models
from keras_lt.losses import ClassBalancedLoss
from keras_lt.optimizers import SGD
from keras_lt.schedules import EpochRates, cosine_rates

STEPS = 1000


class Losses(keras.callbacks.Callback):
    """Keep the loss of every single step."""

    def on_train_begin(self, logs=None):
        self.values = []

    def on_train_batch_end(self, batch, logs=None):
        self.values.append(float(logs["loss"]))
        self.model.reset_metrics()


def main(path):
    random = np.random.default_rng(0)
    model = models.classifier("micro", toy.problem(), width=4)
    model.set_weights(
        [
            weight + random.normal(0, 0.1, weight.shape)
            if weight.ndim < 2
            else random.normal(
                0, (2 / weight[..., 0].size) ** 0.5, weight.shape
            )
            for weight in map(np.ones_like, model.get_weights())
        ]
    )
    model.compile(
        SGD(EpochRates(cosine_rates(0.02, 10), STEPS // 10), l2=5e-3),
        ClassBalancedLoss(toy.COUNTS, beta=0.9),
        jit_compile=False
        if keras.backend.backend() == "tensorflow"
        else "auto",
    )
    pixels, labels = toy.images(toy.COUNTS, 0)
    order = random.integers(0, len(labels), STEPS * 8)
    losses = Losses()
    model.fit(
        pixels[order],
        labels[order],
        batch_size=8,
        shuffle=False,
        callbacks=[losses],
        verbose=0,
    )
    np.save(path, losses.values)


if __name__ == "__main__":
    main(sys.argv[1])
