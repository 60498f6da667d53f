import contextlib
import json

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt import stats
from keras_lt.methods import wb
from keras_lt.training import predict_logits, run

TINY = {"backbone": "micro", "width": 4, "batch_size": 16, "lr": 0.05}


def train(loader=None, workdir=None, steps=1, **options):
    """Train, and return norms and weights at the end of each stage."""
    recipe = wb.recipe(toy.problem(), **(TINY | {"epochs": (2, 2)} | options))
    seen = {}

    def look(stage, model):
        seen[stage.name] = {
            variable.path: np.array(variable) for variable in model.variables
        }

    outcome = run(
        recipe,
        loader or toy.loader(),
        on_stage_end=look,
        verbose=False,
        workdir=workdir,
        steps_per_execution=steps,
        jit_compile=False
        if keras.backend.backend() == "tensorflow"
        else "auto",
    )
    return outcome.model, seen


def changed(before, after):
    return {
        path
        for path in before
        if not np.array_equal(before[path], after[path]) and "seed" not in path
    }


@pytest.mark.parametrize(
    "statistics",
    [
        pytest.param("fixed", marks=programs.once("tensorflow")),
        pytest.param("moving", marks=programs.once("jax")),
    ],
)
def test_second_stage_trains_the_head_alone(statistics):
    _, seen = train(statistics=statistics)
    moved = changed(seen["features"], seen["classifier"])
    head = {path for path in moved if path.startswith("head")}
    assert len(head) == 2
    kinds = {path.rsplit("/", 1)[-1] for path in moved - head}
    moving = {"moving_mean", "moving_variance"}
    assert kinds == (moving if statistics == "moving" else set())


@pytest.mark.slow
@programs.once("jax")
def test_ball_of_the_epoch_clock_holds_at_the_end():
    model, seen = train(head_l2=0.0, head_lr=2.0, epochs=(2, 3))
    radius = stats.max_norm_radius(seen["features"]["head/kernel"], 0.1)
    norms = stats.class_norms(np.array(model.get_layer("head").kernel))
    assert norms.max() == pytest.approx(radius, rel=1e-5)
    free = train(head_l2=0.0, head_lr=2.0, epochs=(2, 3), constraint=None)[0]
    free_norms = stats.class_norms(np.array(free.get_layer("head").kernel))
    assert free_norms.max() > 1.01 * radius


def test_step_clock_is_a_kernel_constraint():
    recipe = wb.recipe(toy.problem(), **TINY, projection="step")
    model = recipe.stages[1].setup(recipe.build())
    kernel = model.get_layer("head").kernel
    radius = stats.max_norm_radius(np.array(kernel), 0.1)
    assert kernel.constraint.radius == pytest.approx(radius)
    assert not recipe.stages[1].callbacks()


def test_epoch_clock_is_a_callback():
    recipe = wb.recipe(toy.problem(), **TINY, constraint="unit_norm")
    model = recipe.stages[1].setup(recipe.build())
    assert model.get_layer("head").kernel.constraint is None
    (callback,) = recipe.stages[1].callbacks()
    callback.set_model(model)
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0)
    norms = stats.class_norms(np.array(model.get_layer("head").kernel))
    np.testing.assert_allclose(norms, 1, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spread", "steps"),
    [
        pytest.param(contextlib.nullcontext, 1, marks=programs.once("jax")),
        (toy.two_devices, 2),
    ],
)
def test_validation_is_of_the_projected_head(tmp_path, spread, steps):
    pixels, labels = toy.images((6, 5, 5), 2)
    with spread():
        model, _ = train(
            toy.loader(validation=(pixels, labels)),
            tmp_path,
            steps,
            head_lr=0.5,
            head_l2=0.0,
            radius_fraction=0.0,
            statistics="fixed",
        )
        logits = predict_logits(model, pixels)
    loss = wb.recipe(toy.problem(), **TINY).stages[1].loss
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in lines]
    found = [e["val_loss"] for e in lines if e["stage"] == "classifier"]
    # The rate of the second epoch is 0: both end with the same weights.
    assert found == pytest.approx([float(loss(labels, logits))] * 2, rel=1e-4)


def test_more_layers_can_be_tuned():
    recipe = wb.recipe(toy.problem(), **TINY, tuned_layers=2)
    model = recipe.stages[1].setup(recipe.build())
    trained = {v.path for v in model.trainable_variables}
    assert trained == {
        "head/kernel",
        "head/bias",
        "stage2_block1_1_conv/kernel",
        "stage2_block1_1_bn/gamma",
        "stage2_block1_1_bn/beta",
    }
    layers = [callback.layer for callback in recipe.stages[1].callbacks()]
    assert layers == ["head", "encoder/stage2_block1_1_conv"]


def test_tau_normalises_the_head_of_the_first_stage():
    model, seen = train(epochs=(1, 0), tau=1.0)
    kernel = seen["features"]["head/kernel"]
    np.testing.assert_allclose(
        np.array(model.get_layer("head").kernel),
        kernel / np.sqrt((kernel**2).sum(0)),
        rtol=1e-5,
    )
    bias = "head/bias"
    np.testing.assert_array_equal(seen["features"][bias], seen["tau"][bias])


@pytest.mark.parametrize(
    ("option", "count"),
    [
        ({"head_loss": "plain", "constraint": "unit_norm"}, 2),
        ({"head_loss": "plain", "constraint": None, "head_l2": 0.1}, 2),
        ({"head_loss": "balanced", "constraint": None, "head_l2": 0.0}, 2),
        ({"head_l2": 5e-3, "tuned_layers": 5}, 2),
        ({"l2": 0.0, "epochs": (320, 0)}, 1),
        ({"epochs": (320, 0), "tau": 1.9}, 2),
    ],
    ids=str,
)
def test_rows_of_the_ablation_table_are_recipes(option, count):
    assert len(wb.recipe(toy.problem(), **option).stages) == count


def test_published_defaults():
    recipe = wb.recipe(toy.problem())
    features, classifier = recipe.stages
    assert (features.epochs, classifier.epochs) == (320, 10)
    assert features.batch_size == classifier.batch_size == 64
    first, second = features.optimizer(170), classifier.optimizer(170)
    assert (first.l2, second.l2, first.momentum) == (5e-3, 0.1, 0.9)
    assert classifier.loss.form == "softmax_bce"
    rates = second.get_config()["learning_rate"]["config"]["rates"]
    assert rates[0] == pytest.approx(0.00975528, abs=1e-8)
    assert rates[-1] == 0


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ({"tau": -1.0}, "tau"),
        ({"radius_fraction": 1.5}, "fraction"),
        ({"statistics": "batch"}, "statistics"),
        ({"beta": 1.0}, "beta"),
        ({"tuned_layers": 0}, "tuned_layers"),
    ],
    ids=str,
)
def test_bad_hyperparameters_fail_before_training(option, name):
    with pytest.raises(ValueError, match=name):
        recipe = wb.recipe(toy.problem(), **TINY, **option)
        model = recipe.build()
        for stage in recipe.stages:
            model = stage.setup(model)
