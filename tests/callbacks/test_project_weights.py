# Goldens: tests/cards/wb.md.
import keras
import numpy as np
import pytest
import tiny

from keras_lt.callbacks import ProjectWeights
from keras_lt.constraints import ClassMaxNorm


def grow(y_true, y_pred):
    """Loss that lengthens the kernel by the rate times the mean image."""
    return -y_pred


def trained(model, images, callback, **options):
    tiny.compiled(model, keras.optimizers.SGD(0.5), grow)
    tiny.fit(model, images, [0], callbacks=[callback], **options)
    return model


def test_projected_at_the_end_of_the_fit():
    model = tiny.linear([[3.0], [4]])
    # Two steps of (0.5, 0) and one projection at the end.
    trained(model, [[1, 0]], ProjectWeights(ClassMaxNorm(1.0)), steps=2)
    golden = np.array([4, 4]) / np.hypot(4, 4)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], golden, rtol=1e-6)


def test_training_goes_on_from_the_projection():
    model = tiny.linear([[3.0], [4]])
    project = ProjectWeights(ClassMaxNorm(1.0))
    trained(model, [[1, 0]], project, steps=2, epochs=3)
    kernel = np.array([3.0, 4])
    for _ in range(3):
        kernel = kernel + [1, 0]
        kernel /= np.linalg.norm(kernel)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], kernel, rtol=1e-6)


def test_once_an_epoch_is_not_once_a_step():
    by_step = tiny.linear([[3.0], [4]], kernel_constraint=ClassMaxNorm(1.0))
    trained(by_step, [[1, 0]], keras.callbacks.Callback(), steps=2)
    by_epoch = tiny.linear([[3.0], [4]])
    trained(by_epoch, [[1, 0]], ProjectWeights(ClassMaxNorm(1.0)), steps=2)
    kernels = [model.get_weights()[0][:, 0] for model in (by_step, by_epoch)]
    assert np.abs(np.subtract(*kernels)).max() > 0.02
    np.testing.assert_allclose(np.linalg.norm(kernels, axis=1), 1, rtol=1e-6)


def test_evaluation_sees_projected_weights():
    model = tiny.linear([[1.0]])
    model.compile("sgd", "mse")
    project = ProjectWeights(lambda weight: weight * 0)
    images = np.ones((4, 1), "float32")
    model.fit(images, images[:, 0], verbose=0, callbacks=[project])
    assert model.evaluate(images, images[:, 0], verbose=0) == 1


@pytest.mark.parametrize("frequency", [1, 2])
def test_validation_is_of_projected_weights(frequency):
    model = tiny.linear([[3.0], [4]])
    model.compile(keras.optimizers.SGD(0.5), grow, metrics=["mae"])
    images = np.ones((4, 2), "float32")
    labels = np.zeros(4, "float32")
    project = ProjectWeights(ClassMaxNorm(1.0))
    history = model.fit(
        images,
        labels,
        epochs=4,
        validation_data=(images, labels),
        validation_freq=frequency,
        callbacks=[project],
        verbose=0,
    ).history
    found = model.evaluate(images, labels, verbose=0, return_dict=True)
    assert history["val_mae"][-1] == pytest.approx(found["mae"], rel=1e-6)
    assert found["mae"] < 1.5  # two norms of 1 at most, not of 5 and more
    assert len(history["val_mae"]) == 4 // frequency


def test_one_projection_an_epoch():
    norms = []

    def halve(weight):
        norms.append(1)
        return weight / 2

    model = tiny.linear([[4.0]])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    images = np.ones((4, 1), "float32")
    data = (images, images[:, 0])
    project = ProjectWeights(halve)
    options = {"validation_data": data, "verbose": 0, "epochs": 3}
    model.fit(*data, batch_size=2, callbacks=[project], **options)
    assert len(norms) == 3
    np.testing.assert_allclose(model.get_weights()[0], [[0.5]])
    model.evaluate(*data, callbacks=[project], verbose=0)
    assert len(norms) == 3  # nothing was trained since


def test_another_layer_and_weight():
    inner = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(2, name="first", bias_initializer="ones"),
        ],
        name="encoder",
    )
    model = keras.Sequential([keras.Input((2,)), inner])
    inner.layers[0].kernel.assign(np.full((2, 2), 3.0))
    project = ProjectWeights(
        lambda weight: weight * 0 + 7, layer="encoder/first", weight="bias"
    )
    trained(model, [[0, 0]], project)
    kernel, bias = inner.get_weights()
    np.testing.assert_allclose(bias, [7, 7])
    np.testing.assert_allclose(kernel, np.full((2, 2), 3.0))  # untouched


def test_missing_layer_or_weight():
    model = tiny.linear([[1.0]])  # without bias
    constraint = ClassMaxNorm(1.0)
    with pytest.raises(ValueError, match="tail"):
        trained(model, [[1]], ProjectWeights(constraint, layer="tail"))
    for weight in ("bias", "gamma"):
        with pytest.raises(ValueError, match=f"`weight`.*{weight!r}"):
            trained(model, [[1]], ProjectWeights(constraint, weight=weight))
    np.testing.assert_array_equal(model.get_weights()[0], [[1]])
