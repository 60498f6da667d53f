import keras
import numpy as np
import programs
import pytest
import tiny

from keras_lt import stats
from keras_lt.callbacks import DeferredReweighting
from keras_lt.losses import ClassBalancedLoss

COUNTS = [90, 9, 1]
KERNEL = np.array([[1, -0.5, 0.2], [0.3, 0.1, -1]])
IMAGES = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
LABELS = np.array([0, 0, 0, 0, 1, 2])
UNSEEN = np.array([2, 1, 1, 0, 0, 2])  # labels in validation


def loss_of(labels, weighted):
    logits = IMAGES.astype("float64") @ KERNEL
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    weights = stats.class_balanced_weights(COUNTS)
    values = -np.log(p[np.arange(6), labels])
    return np.mean((weights[labels] if weighted else 1) * values)


def fit(epoch, *, loss=None, rate=0.0, **options):
    """A fit with rate 0, whose losses depend on the weights only."""
    model = tiny.linear(KERNEL)
    loss = loss or ClassBalancedLoss(COUNTS)
    tiny.compiled(model, keras.optimizers.SGD(rate), loss)
    return model, tiny.fit(
        model,
        IMAGES,
        LABELS,
        steps=2,
        epochs=5,
        validation_data=(IMAGES, UNSEEN),
        callbacks=[DeferredReweighting(epoch)],
        **options,
    )


@pytest.mark.parametrize("epoch", [0, 3, 9])  # at once, later, never
def test_losses_before_and_after_the_switch(epoch):
    weighted = [number >= epoch for number in range(5)]
    _, history = fit(epoch)
    golden = [loss_of(LABELS, on) for on in weighted]
    np.testing.assert_allclose(history["loss"], golden, rtol=1e-5)
    golden = [loss_of(UNSEEN, on) for on in weighted]
    np.testing.assert_allclose(history["val_loss"], golden, rtol=1e-5)
    for labels in (LABELS, UNSEEN):  # the weights make a difference
        plain, ours = (loss_of(labels, on) for on in (False, True))
        assert abs(plain - ours) > 0.1


@programs.once("jax")
@pytest.mark.parametrize(("start", "switch"), [(3, 2), (3, 3), (3, 4)])
def test_resumed(start, switch):
    _, history = fit(switch, initial_epoch=start)
    golden = [loss_of(LABELS, epoch >= switch) for epoch in range(start, 5)]
    np.testing.assert_allclose(history["loss"], golden, rtol=1e-5)


def test_gradients_follow():
    # One step from the same weights: equal to a fit with those weights.
    def step(loss, callbacks, **options):
        model = tiny.linear(KERNEL)
        tiny.compiled(model, keras.optimizers.SGD(1.0), loss)
        tiny.fit(model, IMAGES, LABELS, callbacks=callbacks, **options)
        return model.get_weights()[0]

    def ours(epoch):
        loss = ClassBalancedLoss(COUNTS)
        return step(loss, [DeferredReweighting(epoch)])

    balanced = step(ClassBalancedLoss(COUNTS), [])
    plain = step(ClassBalancedLoss(COUNTS, beta=0), [])
    assert np.abs(balanced - plain).max() > 0.01
    np.testing.assert_allclose(ours(0), balanced, rtol=1e-5)
    np.testing.assert_allclose(ours(1), plain, rtol=1e-5)


@programs.once("jax")
@pytest.mark.parametrize("epoch", [2, 9])
def test_the_loss_has_its_weights_again(epoch):
    loss = ClassBalancedLoss(COUNTS)
    before = loss.class_weights.copy()
    model, _ = fit(epoch, loss=loss)
    np.testing.assert_array_equal(loss.class_weights, before)
    ours = model.evaluate(IMAGES, LABELS, verbose=0)
    assert ours == pytest.approx(loss_of(LABELS, True), rel=1e-5)
    history = tiny.fit(model, IMAGES, LABELS)
    assert history["loss"] == pytest.approx([loss_of(LABELS, True)], rel=1e-5)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`epoch` must be >= 0, got -1"):
        DeferredReweighting(-1)
    plain = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with pytest.raises(ValueError, match="`class_weights`"):
        fit(1, loss=plain)
