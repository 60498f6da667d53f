"""Losses that take the logits of several experts sum their own."""

import keras
import numpy as np
import pytest

from keras_lt import losses

COUNTS = [100, 10, 5]
LOGITS = np.random.default_rng(0).normal(size=(6, 2, 3)).astype("float32")
LABELS = np.arange(6) % 3


@pytest.mark.parametrize(
    "loss",
    [
        losses.ClassBalancedLoss(COUNTS, form="softmax_bce"),
        losses.FocalLoss(COUNTS, beta=0.9999),
        losses.LabelAwareSmoothing(COUNTS),
        losses.LogitAdjustedLoss(COUNTS),
        losses.SoftmaxCrossentropy(),
    ],
    ids=lambda loss: loss.name,
)
def test_each_expert_has_its_own(loss):
    alone = [float(loss(LABELS, LOGITS[:, e])) for e in (0, 1)]
    found = float(loss(LABELS, LOGITS))
    assert found == pytest.approx(sum(alone), rel=1e-6)
    alike = LOGITS[:, :1]
    twice = keras.ops.concatenate([alike, alike], axis=1)
    assert float(loss(LABELS, twice)) == pytest.approx(2 * alone[0], rel=1e-6)
