"""Losses and metrics in `fit` on the user's own tf.data or Grain."""

import keras
import numpy as np
import pytest

from keras_lt.losses import ClassBalancedLoss
from keras_lt.metrics import shot_accuracy_metrics

COUNTS = (120, 30, 10)
X = np.random.default_rng(0).normal(size=(160, 4)).astype("float32")
Y = np.repeat([0, 1, 2], COUNTS)
X[:, 0] += 4 * Y


def of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(40).repeat()


def of_grain():
    grain = pytest.importorskip("grain")
    rows = grain.MapDataset.source([*zip(X, Y, strict=True)])
    return rows.batch(40).repeat()


@pytest.mark.parametrize("pipeline", [of_tensorflow, of_grain])
def test_fit(pipeline):
    def fit(*data, **options):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        model.compile(
            keras.optimizers.SGD(0.1),
            ClassBalancedLoss(COUNTS),
            metrics=shot_accuracy_metrics(COUNTS),
        )
        options |= {"epochs": 2, "verbose": 0, "shuffle": False}
        return model.fit(*data, **options).history

    ours = fit(pipeline(), steps_per_epoch=4)
    arrays = fit(X, Y, batch_size=40)
    assert ours.keys() == arrays.keys()
    for name, values in arrays.items():
        assert ours[name] == pytest.approx(values, rel=1e-4)
