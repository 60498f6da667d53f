import keras
import numpy as np
import pytest
import tiny
from gradients import gradient

from keras_lt.losses import SoftmaxCrossentropy
from keras_lt.optimizers import SGD

LOGITS = np.array([[1.0, -2, 0.5], [0, 3, -1]], "float32")
LABELS = np.array([2, 1])
MIXED = np.array([[0.3, 0, 0.7], [0.25, 0.5, 0.25]], "float32")


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None]])
def test_class_ids_give_the_bits_of_keras(labels):
    ours = SoftmaxCrossentropy()
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert float(ours(labels, LOGITS)) == float(theirs(labels, LOGITS))
    slopes = [
        gradient(lambda at, loss=loss: loss(labels, at), LOGITS)
        for loss in (ours, theirs)
    ]
    np.testing.assert_array_equal(*slopes)
    runs = []
    for loss in (SoftmaxCrossentropy(), theirs):
        model = tiny.linear(np.zeros((3, 3)), np.zeros(3))
        tiny.compiled(model, SGD(0.1), loss)
        tiny.fit(model, LOGITS, LABELS, steps=2, epochs=2)
        runs.append(model.get_weights())
    for mine, theirs in zip(*runs, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_mixed_labels():
    golden = -(MIXED * log_softmax(LOGITS)).sum(-1).mean()
    ours = float(SoftmaxCrossentropy()(MIXED, LOGITS))
    assert ours == pytest.approx(golden, rel=1e-6)
    one_hot = np.eye(3, dtype="float32")[LABELS]
    ours = float(SoftmaxCrossentropy()(one_hot, LOGITS))
    plain = float(SoftmaxCrossentropy()(LABELS, LOGITS))
    assert ours == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("labels", [LABELS, MIXED], ids=["ids", "mixed"])
def test_experts_are_summed(labels):
    experts = np.stack([LOGITS, 2 * LOGITS], axis=1)  # (B, E, C)
    loss = SoftmaxCrossentropy()
    each = [float(loss(labels, factor * LOGITS)) for factor in (1, 2)]
    assert float(loss(labels, experts)) == pytest.approx(sum(each), rel=1e-6)
