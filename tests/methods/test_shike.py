# Goldens: tests/cards/shike.md.
import numpy as np
import programs
import pytest
import toy

from keras_lt.data import AutoAugment, Cutout
from keras_lt.keras_internals import flatten_layers
from keras_lt.layers import BatchNormalization
from keras_lt.losses import LogitAdjustedLoss, SHIKELoss
from keras_lt.methods import METHODS

pytestmark = programs.once("tensorflow")

SHIKE = METHODS["shike"]
TINY = {"backbone": "micro", "width": 4, "num_experts": 2, "batch_size": 8}


def rates(stage):
    return stage.optimizer(1).get_config()["learning_rate"]["config"]["rates"]


def test_published_rates():
    """G5."""
    first, second = (rates(stage) for stage in SHIKE(toy.problem()).stages)
    ramp = [0.025, 0.05, 0.075, 0.1, 0.125]
    np.testing.assert_allclose(first[:5], ramp, rtol=1e-6)
    found = [first[epoch] for epoch in (5, 6, 7, 90, 179)]
    golden = [0.15, 0.149988, 0.149952, 0.078365, 1.208e-5]
    np.testing.assert_allclose(found, golden, rtol=0, atol=5e-7)
    golden = [
        *(0.0375, 0.05, 0.0625, 0.075, 0.0875, 0.1, 0.098907, 0.095677),
        *(0.090451, 0.083457, 0.075, 0.065451, 0.055226, 0.044774, 0.034549),
        *(0.025, 0.016543, 0.009549, 0.004323, 0.001093),
    ]
    np.testing.assert_allclose(second, golden, atol=5e-7)


def test_short_stages_have_a_short_ramp():
    made = SHIKE(toy.problem(), epochs=(3, 0))
    assert [stage.name for stage in made.stages] == ["experts"]
    assert len(rates(made.stages[0])) == 3


def test_losses_and_augmentation():
    made = SHIKE(toy.problem(), target_fill="none", mutual=2.0)
    first, second = (stage.loss for stage in made.stages)
    assert isinstance(first, SHIKELoss) and not first.gated
    assert (first.mutual, first.hardest, first.target_fill) == (2, 10, -30)
    assert SHIKE(toy.problem()).stages[0].loss.target_fill == 0
    assert isinstance(second, LogitAdjustedLoss) and second.tau == 1
    assert made.augment == {"policies": (AutoAugment(), Cutout(16))}
    plain = SHIKE(toy.problem(), autoaugment=False, cutout=0)
    assert plain.augment == {"policies": ()}


@pytest.mark.parametrize("statistics", ["moving", "fixed"])
def test_the_second_stage_learns_new_classifiers_alone(statistics):
    made = SHIKE(
        toy.problem(), **TINY, epochs=(0, 1), statistics=statistics, lr=0.05
    )
    model = made.build()
    (stage,) = made.stages
    view = stage.setup(model)
    old = [model.get_layer(f"expert{n}_head").kernel for n in (1, 2)]
    names = [variable.path for variable in view.trainable_variables]
    assert names == ["expert1_head/kernel", "expert2_head/kernel"]
    for before, after in zip(old, view.trainable_variables, strict=True):
        assert not np.allclose(before, after)
    assert view.output_shape == (None, 2, 3)
    norms = [
        layer
        for layer in flatten_layers(view)
        if isinstance(layer, BatchNormalization)
    ]
    assert {norm.trainable for norm in norms} == {statistics == "moving"}
