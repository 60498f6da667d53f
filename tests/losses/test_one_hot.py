"""Losses to one-hot labels are those to class ids, in their gradients too."""

import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_lt import losses
from keras_lt.losses.ldam import _of_every_class

COUNTS = [150, 30, 4]
LABELS = np.array([0, 2, 1, 2])
LOSSES = {
    "ldam": (losses.LDAMLoss(COUNTS, reweighted=True), ()),
    "ride": (losses.RIDELoss(COUNTS, reweighted=True), (2,)),
    "reslt": (losses.ResLTLoss(COUNTS, cuts=(1, 2), beta=0.7), (3,)),
    "bounded": (losses.ResLTLoss(COUNTS, cuts=(1,), fused="bounded"), (4,)),
    "router": (losses.RouterLoss(), (3,)),
    "distillation": (losses.DistillationLoss(losses.RIDELoss(COUNTS)), (3,)),
    "heads": (losses.HardSoftDistillation(), (3,)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_one_hot_is_sparse(name):
    loss, views = LOSSES[name]
    columns = 4 if name == "router" else 3
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, (4, *views, columns)).astype("float32")
    one_hot = np.eye(3, dtype="float32")[LABELS]
    ids, ours = (float(loss(y, logits)) for y in (LABELS, one_hot))
    assert ours == pytest.approx(ids, rel=1e-5)
    slopes = [
        gradient(lambda z, y=y: loss(y, z), logits) for y in (LABELS, one_hot)
    ]
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-4, atol=1e-6)


def test_margins_of_every_class_where_one_is_certain():
    logits = np.array([[40.0, 0, -40], [1e4, -1e4, 0], [0, 0, 0]], "float32")
    margins = np.array([15.0, 3, 0], "float32")
    ours = ops.convert_to_numpy(_of_every_class(logits, margins))
    exact = logits.astype("float64")
    for c in range(3):
        lowered = exact - margins * np.eye(3)[c]
        golden = np.logaddexp.reduce(lowered, -1) - lowered[:, c]
        np.testing.assert_allclose(ours[:, c], golden, rtol=1e-5, atol=1e-5)
    slope = gradient(lambda z: ops.sum(_of_every_class(z, margins)), logits)
    assert np.isfinite(slope).all()
