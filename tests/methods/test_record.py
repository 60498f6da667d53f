import numpy as np
import programs
import pytest
import toy

from keras_lt.data import AutoAugment, Cutout
from keras_lt.losses import LabelAwareSmoothing, LogitAdjustedLoss, SHIKELoss
from keras_lt.methods import METHODS
from keras_lt.problem import Problem
from keras_lt.training import Average

pytestmark = programs.once("tensorflow")

RECORD = METHODS["record"]


def test_all_ingredients():
    made = RECORD(toy.problem(), tau=2.0)
    first, means, second = made.stages
    assert means.solve and not means.epochs
    loss = first.loss
    assert isinstance(loss, SHIKELoss) and loss.gated
    np.testing.assert_allclose(loss.base.tau, [1.8, 2.0, 2.2], rtol=1e-9)
    assert (loss.target_fill, loss.teacher_gradient) == (-30, False)
    # In nats an image: the loss divides by the 3 classes.
    assert loss.mutual / 3 == pytest.approx(RECORD.defaults["mutual"])
    assert loss.hardest / 3 == pytest.approx(RECORD.defaults["hardest"])
    assert isinstance(second.loss, LogitAdjustedLoss)
    assert made.average == Average("ema", 0.999)
    assert made.augment == {"policies": (AutoAugment(), Cutout(16))}


def test_each_can_be_turned_off():
    off = {
        "tau": 0.0,
        "mutual": 0.0,
        "gated": False,
        "hardest": 0.0,
        "ema": 0.0,
        "autoaugment": False,
        "cutout": 0,
        "epochs": (200, 0),
    }
    made = RECORD(toy.problem(), **off)
    (stage,) = made.stages
    loss = stage.loss
    assert {*loss.base.tau} == {0} and not (loss.mutual or loss.hardest)
    assert not (loss.gated or made.average or made.augment["policies"])
    alone = RECORD(toy.problem(), num_experts=1, prior_spread=0.5)
    assert alone.stages[0].loss.base.tau == [1]
    assert set(off) <= set(RECORD.defaults)


def test_two_sizes():
    problem = Problem((32, 32, 3), (500,) * 99 + (5,))
    small = RECORD.published("cifar")
    model = RECORD(problem, **small).build()
    assert sum(v.numpy().size for v in model.trainable_variables) < 1.5e6
    large = RECORD.published("cifar", {"width": 64}) | {"width": 64}
    assert (large["l2"], large["lr"], large["batch_size"]) == (5e-3, 0.01, 64)
    made = RECORD(problem, **large)
    smoothed = made.stages[1].loss
    assert isinstance(smoothed, LabelAwareSmoothing)
    assert smoothed.head == smoothed.tail == 0.98


TINY = {"backbone": "micro", "width": 4, "num_experts": 2}


def test_classifiers_start_at_the_means_of_their_own_features():
    made = RECORD(toy.problem(), **TINY)
    model = made.stages[1].setup(made.build())
    random = np.random.default_rng(0)
    found = random.normal(size=(5, 2, 8)).astype("float32")
    labels = np.array([0, 2, 1, 0, 2])
    made.stages[1].solve(model, found, labels)
    for expert in (0, 1):
        means = np.stack(
            [found[labels == c, expert].mean(0) for c in range(3)], 1
        )
        kernel = np.array(model.get_layer(f"expert{expert + 1}_head").kernel)
        np.testing.assert_allclose(
            kernel, means / np.linalg.norm(means, axis=0), rtol=1e-5
        )


def test_classifiers_go_on_where_labels_are_smoothed():
    drawn = {"second": "balanced", "head": "linear"}
    for second, goes_on in (
        ({"second": "over_smoothed"}, True),
        (drawn, False),
    ):
        made = RECORD(toy.problem(), **TINY, **second)
        model = made.build()
        before = [np.array(v) for v in model.get_layer("expert1_head").weights]
        view = made.stages[1].setup(model)
        names = {v.path.split("/")[0] for v in view.trainable_variables}
        assert names == {"expert1_head", "expert2_head"}
        for old, new in zip(
            before, view.get_layer("expert1_head").weights, strict=True
        ):
            assert np.array_equal(old, new) == goes_on
