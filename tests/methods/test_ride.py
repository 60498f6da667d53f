import hashlib

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.losses import DistillationLoss
from keras_lt.methods import ride, wb
from keras_lt.models import classifier, ensemble, multi_expert
from keras_lt.samplers import ClassBalanced
from keras_lt.training import run
from keras_lt.training.transfer import named_variables

JIT = False if keras.backend.backend() == "tensorflow" else "auto"
TINY = {"backbone": "micro", "width": 4, "batch_size": 16, "lr": 0.05}


def recipe(**options):
    return ride.recipe(
        toy.problem(), **(TINY | {"epochs": (1, 1, 1)} | options)
    )


def train(made, **options):
    return run(made, toy.loader(), verbose=False, jit_compile=JIT, **options)


def fingerprints(model):
    """Hash of every part of the model but its router."""
    return {
        layer.name: hashlib.sha256(
            b"".join(np.array(v).tobytes() for v in layer.variables)
        ).hexdigest()
        for layer in model.layers
        if layer.name != "router" and layer.variables
    }


@pytest.mark.slow
@programs.once("jax")
def test_the_router_stage_changes_the_router_alone():
    seen = {}

    def look(stage, model):
        seen[stage.name] = fingerprints(model)
        if stage.name == "router":
            names = {v.path for v in model.trainable_variables}
            assert {name.split("/")[0] for name in names} == {"router"}

    before = {}
    made = recipe(router_lr=0.5)
    setup = made.stages[-1].setup

    def remember(model):
        routed = setup(model)
        before.update(
            {v.path: np.array(v) for v in routed.get_layer("router").variables}
        )
        return routed

    object.__setattr__(made.stages[-1], "setup", remember)
    model = train(made, on_stage_end=look).model
    assert len(seen["reweighted"]) == 7  # trunk, experts and heads
    assert seen["router"] == seen["reweighted"]
    assert seen["reweighted"] != seen["experts"]
    for variable in model.get_layer("router").variables:
        assert not np.array_equal(np.array(variable), before[variable.path])


def rates(stage):
    config = stage.optimizer(85).get_config()["learning_rate"]["config"]
    return config["rates"]


def test_published_settings_on_cifar():
    made = ride.recipe(toy.problem())
    experts, reweighted, router = made.stages
    assert [stage.epochs for stage in made.stages] == [160, 40, 5]
    assert [stage.batch_size for stage in made.stages] == [128, 128, 512]
    assert made.augment == {"rotation": 15.0}
    assert not experts.loss.reweighted and reweighted.loss.reweighted
    assert experts.loss.base.class_weights.tolist() == [1, 1, 1]
    assert reweighted.loss.base.class_weights.tolist() != [1, 1, 1]
    assert experts.loss.diversity == -0.45
    assert reweighted.optimizer is None  # carries on
    assert router.sampler == ClassBalanced()
    assert router.loss.pos_weight == 100
    ours = [rates(experts)[epoch - 1] for epoch in (1, 5, 160, 161, 181)]
    assert ours == pytest.approx([0.02, 0.1, 0.1, 1e-3, 1e-5])
    golden = [0.01, 0.009045085, 0.006545085, 0.003454915, 0.000954915]
    assert rates(router) == pytest.approx(golden, rel=1e-6)
    for stage in (experts, router):
        sgd = stage.optimizer(85)
        assert (sgd.momentum, sgd.nesterov, sgd.l2) == (0.9, True, 5e-4)


@pytest.mark.parametrize(
    ("family", "lr", "batch", "gamma"),
    [("imagenet_lt", 0.1, 256, 0.02), ("inaturalist2018", 0.2, 512, 0.015)],
)
def test_published_settings_on_large_sets(family, lr, batch, gamma):
    made = ride.recipe(toy.problem(), **ride.recipe.presets[family])
    experts, reweighted, _ = made.stages
    assert [stage.epochs for stage in made.stages] == [80, 20, 5]
    assert experts.batch_size == batch
    assert (experts.loss.diversity, reweighted.loss.gamma) == (-0.2, gamma)
    ours = [rates(experts)[epoch - 1] for epoch in (60, 61, 81)]
    assert ours == pytest.approx([lr, lr / 10, lr / 100])
    assert experts.optimizer(9).l2 == 2e-4


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """Function that loads the model of a run."""
    path = tmp_path_factory.mktemp("teacher") / "model.keras"
    model = multi_expert("micro", toy.problem(), num_experts=2, width=4)
    ensemble(model).save(path)
    return lambda: keras.saving.load_model(path)


def test_published_settings_with_a_teacher(teacher):
    made = ride.recipe(toy.problem(), distill_from=teacher)
    loss = made.stages[0].loss
    assert isinstance(loss, DistillationLoss)
    assert (loss.temperature, loss.official_scale) == (1.5, True)
    ours = [rates(made.stages[0])[epoch - 1] for epoch in (1, 10, 20)]
    assert ours == pytest.approx([0.005, 0.05, 0.1])


@pytest.mark.slow
@pytest.mark.parametrize(
    "statistics",
    [
        pytest.param("moving", marks=programs.once("jax")),
        pytest.param("fixed", marks=programs.once("tensorflow")),
    ],
)
def test_distillation(teacher, statistics):
    made = recipe(
        distill_from=teacher,
        teacher_statistics=statistics,
        num_experts=2,
        epochs=(1, 0, 1),
    )
    before = teacher()
    seen = {}

    def look(stage, model):
        if stage.name == "experts":
            assert model.output_shape == (None, 3, 3)
            seen["after"] = [
                np.array(v) for v in model.get_layer("teacher").variables
            ]

    outcome = train(made, on_stage_end=look)
    pairs = zip(before.variables, seen["after"], strict=True)
    moved = {
        variable.path.rsplit("/", 1)[-1]
        for variable, after in pairs
        if not np.array_equal(np.array(variable), after)
    }
    moving = {"moving_mean", "moving_variance"}
    assert moved == (moving if statistics == "moving" else set())
    # The teacher is not part of what is served.
    serve = made.serve(outcome.model)
    assert "teacher" not in [layer.name for layer in serve.layers]
    assert serve.output_shape == (None, 3)


@programs.once("jax")
@pytest.mark.parametrize("loss", ["ce", "balanced"])
def test_experts_with_other_losses(loss):
    made = recipe(loss=loss, diversity=0.0, router=False, epochs=(2, 0, 0))
    model = made.build()
    before = model.get_layer("expert2_head").get_weights()[0]
    outcome = train(made)
    after = outcome.model.get_layer("expert2_head").get_weights()[0]
    assert np.isfinite(after).all()
    assert not np.allclose(after, before)
    assert made.serve(outcome.model).output_shape == (None, 3)


def test_base_losses():
    kinds = {
        "ldam": "LDAMLoss",
        "ce": "SoftmaxCrossentropy",
        "balanced": "ClassBalancedLoss",
        "la": "LogitAdjustedLoss",
    }
    for loss, kind in kinds.items():
        for stage in recipe(loss=loss).stages[:2]:
            assert type(stage.loss.base).__name__ == kind
    linear = recipe(head="linear").stages[0].loss.base
    assert linear.scale == 1  # linear logits hold no factor
    assert recipe().stages[0].loss.base.scale == 30


@pytest.mark.slow
@programs.once("jax")
def test_weight_balancing_on_experts():
    """WB's second stage on what RIDE trained, by name."""
    trained = train(recipe(head="linear", router=False, epochs=(1, 0, 0)))
    made = wb.recipe(
        toy.problem(), **TINY, num_experts=3, epochs=(2, 2), head_lr=0.5
    )
    outcome = train(made, start=("classifier", trained.model))
    before, after = (
        {name: np.array(variable) for name, variable in named_variables(model)}
        for model in (trained.model, outcome.model)
    )
    heads = {f"expert{number}_head" for number in (1, 2, 3)}
    moved = {
        name.rsplit("/", 1)[-1] if "head" not in name else name.split("/")[0]
        for name in before
        if not np.array_equal(before[name], after[name])
    }
    # Batch statistics go on moving, as released.
    assert moved == heads | {"moving_mean", "moving_variance"}
    assert made.serve(outcome.model).output_shape == (None, 3)
    assert set(made.views(outcome.model)) == {
        *("expert1", "expert2", "expert3", "ensemble")
    }


def test_serves_the_ensemble_without_routers():
    made = recipe(router=False, epochs=(1, 1, 1))
    assert [stage.name for stage in made.stages] == ["experts", "reweighted"]
    model = made.build()
    pixels, _ = toy.test_images()
    ours = made.serve(model).predict(pixels, verbose=0)
    mean = model.predict(pixels, verbose=0).mean(1)
    np.testing.assert_allclose(ours, mean, atol=1e-5)


def test_bad_hyperparameters():
    with pytest.raises(ValueError, match="`distill_from` must be a function"):
        recipe(distill_from="folder").build()
    other = classifier("micro", toy.problem(), width=4)
    other = keras.Model(other.inputs, other.outputs[0][:, :2])
    with pytest.raises(ValueError, match="`teacher`.*classes, 3, got 2"):
        recipe(distill_from=lambda: other).build()
    with pytest.raises(ValueError, match="at least 2 experts"):
        made = recipe(num_experts=1)
        made.stages[-1].setup(made.build())
