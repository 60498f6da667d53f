# Goldens: tests/cards/reslt.md.
import keras
import numpy as np
import programs
import pytest
import tiny

from keras_lt import stats
from keras_lt.layers import ResidualFusion
from keras_lt.losses import ResLTLoss
from keras_lt.optimizers import SGD


def built(shape, num_classes, **options):
    layer = ResidualFusion(num_classes, **options)
    layer.build((None, *shape))
    return layer


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def set_norm(norm, gamma, beta):
    size = len(gamma)
    norm.set_weights([gamma, beta, np.zeros(size), np.ones(size)])
    norm.epsilon = 0.0


def test_golden_fusion_of_normalisation():
    layer = built((1, 1, 3), 2)
    gammas = [[1, 1.2, 0.8], [0.9, 1, 1.1], [0.5, 1.5, 1]]
    betas = [[0, 0.1, -0.1], [0.2, 0, 0.1], [-0.2, 0.3, 0]]
    for norm, gamma, beta in zip(layer.norms, gammas, betas, strict=True):
        set_norm(norm, np.array(gamma), np.array(beta))
    kernel = np.array([[1, 0, 2], [-1, 0.5, 0]]).T
    layer.kernel.assign(kernel)
    layer.bias.assign([0.1, -0.2])
    x = np.array([0.2, -1, 0.5])
    ours = numpy(layer(x.reshape(1, 1, 1, 3)))
    assert ours.shape == (1, 3, 2)
    np.testing.assert_allclose(ours.sum(1), [[3.68, -2.73]], rtol=1e-5)
    # One network with one normalisation of summed weights says the same.
    features = np.sum(gammas, 0) * x + np.sum(betas, 0)
    single = features @ kernel + 3 * np.array([0.1, -0.2])
    np.testing.assert_allclose(ours.sum(1)[0], single, rtol=1e-5)


def test_new_branches_agree():
    layer = ResidualFusion(4)
    maps = np.random.default_rng(0).normal(size=(5, 3, 3, 6))
    ours = numpy(layer(maps))
    np.testing.assert_array_equal(ours[:, 0], ours[:, 1])
    np.testing.assert_array_equal(ours[:, 0], ours[:, 2])


@pytest.mark.parametrize(
    ("pool", "golden"), [("after", [1.375, 1.25]), ("before", [1.25, 0.0])]
)
def test_golden_order_of_pooling(pool, golden):
    maps = np.array([[1, -3], [2, 0], [3, 1], [-1, 2]]).reshape(1, 2, 2, 2)
    layer = built((2, 2, 2), 2, branches=1, form="convolution", pool=pool)
    layer.conv.kernel.assign(np.array([[1, -1], [0.5, 2]])[None, None])
    set_norm(layer.norms[0], np.ones(2), np.zeros(2))
    layer.kernel.assign(np.eye(2))
    layer.bias.assign(np.zeros(2))
    ours = numpy(layer(maps.astype("float32")))
    np.testing.assert_allclose(ours, [[golden]], rtol=1e-6)


def test_slices_of_the_convolution():
    """Branch v reads the channels from v * D to (v + 1) * D."""
    layer = built((1, 1, 2), 2, form="convolution")
    kernel = np.arange(12.0).reshape(2, 6)
    layer.conv.kernel.assign(kernel[None, None])
    set_norm(layer.norms[0], np.ones(6), np.zeros(6))
    layer.kernel.assign(np.eye(2))
    layer.bias.assign(np.zeros(2))
    ours = numpy(layer(np.ones((1, 1, 1, 2), "float32")))
    np.testing.assert_allclose(ours[0], kernel.sum(0).reshape(3, 2), rtol=1e-6)


@pytest.mark.parametrize(
    ("tau", "golden"),
    [
        (0.0, [11, -2.5]),
        (0.3, [6.78737249, -1.54258466]),
        (0.7, [3.56544451, -0.81032830]),
        (1.0, [2.2, -0.5]),
    ],
)
def test_golden_classifier_by_tau(tau, golden):
    layer = built((1, 1, 2), 3, branches=1, tau=tau)
    set_norm(layer.norms[0], np.ones(2), np.zeros(2))
    kernel = np.array([[3, 4], [1, 0], [0.6, 0.8]]).T
    layer.kernel.assign(kernel)
    layer.bias.assign([9.0, 9.0, 9.0])  # left out
    x = np.array([[1, 2], [0.5, -1]], "float32").reshape(2, 1, 1, 2)
    ours = numpy(layer(x))[:, 0]
    np.testing.assert_allclose(ours[:, 0], golden, rtol=1e-5)
    np.testing.assert_allclose(ours[:, 1:], [[1, 2.2], [0.5, -0.5]], rtol=1e-5)
    same = x.reshape(2, 2) @ stats.tau_normalize(kernel, tau)
    np.testing.assert_allclose(ours, same, rtol=1e-5)


@pytest.mark.parametrize(
    "form",
    [
        "normalization",
        pytest.param("convolution", marks=programs.once("jax")),
    ],
)
def test_a_step_of_training(form):
    maps = keras.Input((3, 3, 4))
    layer = ResidualFusion(3, form=form, name="head")
    model = keras.Model(maps, layer(maps))
    loss = ResLTLoss([9, 5, 2], cuts=(1, 2), beta=0.9)
    tiny.compiled(model, SGD(0.1), loss)
    images = np.random.default_rng(0).normal(1, 2, (12, 3, 3, 4))
    labels = np.repeat([0, 1, 2], 4)
    history = model.fit(
        images, labels, batch_size=6, epochs=8, shuffle=False, verbose=0
    ).history["loss"]
    assert history[-1] < history[0]
    if form == "normalization":
        gammas, _, means, variances = zip(
            *(norm.get_weights() for norm in layer.norms), strict=True
        )
        for statistic in (means, variances):  # they see the same input
            np.testing.assert_array_equal(statistic[0], statistic[1])
            np.testing.assert_array_equal(statistic[0], statistic[2])
        assert np.abs(means[0]).max() > 0.1
        assert not np.array_equal(gammas[0], gammas[1])


@pytest.mark.parametrize("form", ["normalization", "convolution"])
def test_a_saved_model_comes_back(form, tmp_path):
    maps = keras.Input((3, 3, 4))
    layer = ResidualFusion(3, branches=2, form=form, pool="before", tau=0.5)
    model = keras.Model(maps, layer(maps))
    for norm in layer.norms:
        norm.gamma.assign(np.linspace(0.5, 2, norm.gamma.shape[0]))
    model.save(tmp_path / "model.keras")
    back = keras.saving.load_model(tmp_path / "model.keras")
    images = np.random.default_rng(0).normal(size=(2, 3, 3, 4))
    np.testing.assert_array_equal(
        back.predict(images, verbose=0), model.predict(images, verbose=0)
    )


def test_bad_arguments():
    for options, name in (
        ({"num_classes": 0}, "num_classes"),
        ({"branches": 0}, "branches"),
        ({"form": "linear"}, "form"),
        ({"pool": "max"}, "pool"),
    ):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            ResidualFusion(**({"num_classes": 3} | options))
