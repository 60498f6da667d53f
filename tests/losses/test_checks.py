"""Losses say what does not fit, before a wrong number is learnt from."""

import warnings

import keras
import numpy as np
import programs
import pytest
import tiny

from keras_lt import layers, losses
from keras_lt.callbacks import DeferredReweighting
from keras_lt.ops import class_ids

COUNTS = [5, 3, 2]
X, Y = np.ones((4, 2), "float32"), np.array([0, 1, 2, 0])
COUNTING = [
    losses.ClassBalancedLoss,
    losses.FocalLoss,
    losses.LDAMLoss,
    losses.LabelAwareSmoothing,
    losses.LogitAdjustedLoss,
    losses.ResLTLoss,
    losses.RIDELoss,
]


@pytest.mark.parametrize("part", COUNTING)
def test_counts_of_another_length(part):
    experts = (3,) if part in (losses.ResLTLoss, losses.RIDELoss) else ()
    logits = keras.ops.zeros((4, *experts, 5))
    words = "`class_counts` has 3 classes, but the logits have 5"
    with pytest.raises(ValueError, match=words):
        part(COUNTS)(Y, logits)


def fit(model, loss):
    return tiny.fit(tiny.compiled(model, "sgd", loss), X, Y)


def softmaxes():
    images = keras.Input((2,))
    dense = keras.layers.Dense(3, activation="softmax", name="last")
    inner = keras.Model(images, dense(images))
    yield inner
    yield keras.Sequential([keras.Input((2,)), inner])
    logits = keras.layers.Dense(3)(images)
    yield keras.Model(images, keras.layers.Softmax(name="last")(logits))
    yield keras.Model(images, keras.ops.softmax(logits))


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize(
    "loss", [losses.SoftmaxCrossentropy(), losses.LDAMLoss(COUNTS)]
)
def test_a_softmax_is_no_logits(number, loss):
    model = [*softmaxes()][number]
    with pytest.raises(
        ValueError, match=r"layer '(last|softmax).*is a softmax"
    ):
        fit(model, loss)


def heads():
    yield keras.layers.Dense(3), 30.0, 1
    yield keras.layers.Dense(3), 1.0, 0
    yield layers.CosineClassifier(3), 30.0, 0


@pytest.mark.parametrize("number", range(3))
def test_margins_on_a_dense_layer_warn_once(number):
    head, scale, expected = [*heads()][number]
    model = keras.Sequential([keras.Input((2,)), head])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        fit(model, losses.LDAMLoss(COUNTS, scale=scale))
        fit(model, losses.LDAMLoss(COUNTS, scale=scale))
    said = [str(w.message) for w in caught if "cosines" in str(w.message)]
    assert len(said) == expected
    assert all("is a Dense" in words for words in said)


@programs.once("jax")
def test_what_needs_ids_says_what_to_do_with_one_hot_labels():
    words = r"got one-hot or mixed ones of shape \(4, 3\); `argmax"
    with pytest.raises(ValueError, match=words):
        class_ids(np.eye(3)[Y])


SMOOTHING = {
    losses.SoftmaxCrossentropy: {},
    losses.LogitAdjustedLoss: {"class_counts": [1, 1, 1]},
    losses.FocalLoss: {"class_counts": COUNTS, "gamma": 0},
    losses.ClassBalancedLoss: {"class_counts": [1, 1, 1]},
    losses.LDAMLoss: {"class_counts": [1, 1, 1], "max_margin": 0},
}


@pytest.mark.parametrize("part", SMOOTHING)
@pytest.mark.parametrize("labels", [Y, np.eye(3, dtype="float32")[Y]])
def test_label_smoothing_is_that_of_keras(part, labels):
    logits = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    ours = part(**SMOOTHING[part], label_smoothing=0.2)(labels, logits)
    theirs = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=0.2
    )(np.eye(3)[Y], logits)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)
    with pytest.raises(
        ValueError, match=r"`label_smoothing` must be in \[0, 1"
    ):
        part(**SMOOTHING[part], label_smoothing=1)


@pytest.mark.parametrize("kind", [dict, list])
def test_reweighting_of_several_losses_is_deferred(kind):
    images = keras.Input((2,))
    outputs = {
        name: keras.layers.Dense(3, kernel_initializer="zeros", name=name)(
            images
        )
        for name in ("one", "two")
    }
    weighted = losses.ClassBalancedLoss(COUNTS, beta=0.999)
    plain = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    chosen = {"one": weighted, "two": plain}
    if kind is list:
        outputs, chosen = [*outputs.values()], [*chosen.values()]
    model = keras.Model(images, outputs)
    model.compile(keras.optimizers.SGD(0.0), chosen, jit_compile=tiny.JIT)
    labels = dict.fromkeys(("one", "two"), Y) if kind is dict else [Y, Y]
    drw = DeferredReweighting(1)
    history = model.fit(X, labels, epochs=2, callbacks=[drw], verbose=0).history
    weights = np.log(3) * weighted.class_weights[Y].mean()
    expected = [2 * np.log(3), np.log(3) + weights]
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-5)
    assert abs(expected[0] - expected[1]) > 0.01
