"""Stages that follow a method, trained."""

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt import stats
from keras_lt.layers import NearestClassMean
from keras_lt.losses import LabelAwareSmoothing
from keras_lt.methods import METHODS
from keras_lt.models import new_heads
from keras_lt.samplers import ClassBalanced
from keras_lt.training import predict_logits, rehearse, run
from keras_lt.training.transfer import named_variables

JIT = False if keras.backend.backend() == "tensorflow" else "auto"
AFTER = ("crt", "lws", "tau", "ncm")
GOING_ON = ("mislas", "los", "maxnorm", "la")
TINY = {"backbone": "micro", "width": 4, "lr": 0.05, "batch_size": 8}
pytestmark = programs.once("jax")


def recipe(after=AFTER, **options):
    method = METHODS["ce"].then(after)
    for name in after:
        options = {f"{name}_epochs": 2, f"{name}_batch_size": 8} | options
    known = {n: v for n, v in options.items() if n in method.defaults}
    return method(toy.problem(), epochs=(2,), **TINY, **known)


def going_on_recipe():
    return recipe(GOING_ON, la_tau=2.0, maxnorm_l2=0.0)


def train(made, **options):
    """Run, and note the variables at the end of each stage."""
    seen = {}

    def look(stage, model):
        seen[stage.name] = {
            name: np.array(variable)
            for name, variable in named_variables(model)
        }
        seen["model"] = model

    run(
        made,
        toy.loader(),
        on_stage_end=look,
        verbose=False,
        jit_compile=JIT,
        checkpoint_seconds=0,
        **options,
    )
    return seen


def train_with_copies(made, folder):
    """Train; what a kill in a stage's second epoch leaves lies beside."""

    def copy(stage):
        return [toy.CopyIn(1, folder, folder.with_name(stage.name))]

    return train(made, workdir=folder, callbacks=copy) | {"folder": folder}


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    return train_with_copies(recipe(), tmp_path_factory.mktemp("a") / "run")


@pytest.fixture(scope="module")
def going_on(tmp_path_factory):
    return train_with_copies(
        going_on_recipe(), tmp_path_factory.mktemp("b") / "run"
    )


def changed(before, after):
    return {
        name
        for name in before
        if name in after and not np.array_equal(before[name], after[name])
    }


@pytest.mark.slow
def test_a_new_head_alone_is_trained(stages):
    moved = changed(stages["train"], stages["crt"])
    assert {n for n in moved if "moving_" not in n} == {
        "head/kernel",
        "head/bias",
    }
    assert any("moving_" in name for name in moved)  # as released
    seen = train(recipe(("crt",), crt_statistics="fixed"))
    moved = changed(seen["train"], seen["crt"])
    assert moved == {"head/kernel", "head/bias"}


def test_then_factors_alone_are(stages):
    moved = changed(stages["crt"], stages["lws"])
    assert all("moving_" in name for name in moved)
    assert (stages["lws"]["scales/scales"] != 1).all()


def test_norms_are_of_the_scaled_classifier(stages):
    kernel = stages["lws"]["head/kernel"] * stages["lws"]["scales/scales"]
    golden = kernel / np.linalg.norm(kernel, axis=0)
    ours = stages["tau"]["head/kernel"]
    np.testing.assert_allclose(ours, golden, rtol=1e-5)
    assert not stages["tau"]["head/bias"].any()


def test_means_are_of_the_training_images_as_they_are(stages):
    model = stages["model"]
    head = model.get_layer("head")
    assert isinstance(head, NearestClassMean)
    pixels, labels = toy.images(toy.COUNTS, 0)
    golden = NearestClassMean(3)
    golden.adapt(predict_logits(new_heads.features(model), pixels), labels)
    for mine, theirs in zip(head.variables, golden.variables, strict=True):
        mine, theirs = np.array(mine), np.array(theirs)
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
        assert np.abs(mine).max() > 0


@pytest.mark.slow
def test_classifier_and_factors_learn_from_smoothed_labels(going_on):
    moved = changed(going_on["train"], going_on["mislas"])
    assert {n for n in moved if "moving_" not in n} == {
        "head/kernel",
        "head/bias",
    }
    assert (going_on["mislas"]["scales/scales"] != 1).all()
    loss = recipe(GOING_ON, mislas_head=0.3).stages[1].loss
    assert isinstance(loss, LabelAwareSmoothing)
    assert loss.class_counts == [*toy.COUNTS]
    assert (loss.head, loss.tail, loss.form) == (0.3, 0.1, "concave")


def test_the_classifier_may_learn_slowly():
    seen = train(recipe(("mislas",), mislas_lr_factor=0.0))
    moved = changed(seen["train"], seen["mislas"])
    assert moved and all("moving_" in name for name in moved)
    assert (seen["mislas"]["scales/scales"] != 1).all()


def test_over_smoothing_goes_on_with_the_scaled_classifier(going_on):
    stage = recipe(GOING_ON, los_smoothing=0.9).stages[2]
    np.testing.assert_allclose(stage.loss.smoothing, 0.9, rtol=1e-6)
    start = {
        "head/kernel": going_on["mislas"]["head/kernel"],
        "head/bias": going_on["mislas"]["head/bias"],
    }
    for name, value in start.items():
        found = going_on["los"][name]
        scaled = value * going_on["mislas"]["scales/scales"]
        # Two epochs at a rate of 5e-4.
        np.testing.assert_allclose(found, scaled, atol=0.02)
        assert not np.array_equal(found, scaled)


def test_class_vectors_are_in_the_ball_of_their_start(going_on):
    before, after = (
        going_on[name]["head/kernel"] for name in ("los", "maxnorm")
    )
    radius = stats.max_norm_radius(before, 0.1)
    assert stats.class_norms(before).max() > 1.001 * radius
    assert stats.class_norms(after).max() <= 1.0001 * radius


@pytest.mark.slow
def test_maxnorm_is_the_second_stage_of_weight_balancing():
    options = {"backbone": "micro", "batch_size": 8}
    both = METHODS["wb"](
        toy.problem(), epochs=(2, 2), head_lr=0.1, head_l2=0.01, **options
    )
    ours = METHODS["wb"].then(["maxnorm"])(
        toy.problem(),
        epochs=(2, 0),
        **options,
        maxnorm_epochs=2,
        maxnorm_lr=0.1,
        maxnorm_l2=0.01,
        maxnorm_batch_size=8,
    )
    theirs, ours = train(both)["classifier"], train(ours)["maxnorm"]
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_every_expert_learns():
    after = ("mislas", "los", "maxnorm")
    made = METHODS["ride"].then(after)(
        toy.problem(), num_experts=2, router=False, epochs=(1, 0, 0), **TINY
    )
    model, (pixels, labels) = made.build(), toy.images((3, 2, 2), 0)
    for stage in made.stages:
        model = stage.setup(model)
        if stage.name not in after:
            continue
        model.compile(stage.optimizer(1), stage.loss, jit_compile=JIT)
        trained = model.trainable_variables
        before = [np.array(variable) for variable in trained]
        assert len(before) == 4  # two of each expert
        model.train_on_batch(pixels, labels)
        for old, variable in zip(before, trained, strict=True):
            assert not np.array_equal(old, variable), variable.path


def test_priors_are_subtracted(going_on):
    before, after = (going_on[name]["head/bias"] for name in ("maxnorm", "la"))
    priors = np.array(toy.COUNTS) / sum(toy.COUNTS)
    golden = before - 2 * np.log(priors)
    np.testing.assert_allclose(after, golden, rtol=1e-5)
    assert changed(going_on["maxnorm"], going_on["la"]) == {"head/bias"}


@pytest.mark.parametrize("stage", ["tau", "maxnorm"])
def test_norms_of_a_cosine_classifier_have_no_say(stage):
    method = METHODS["ldam"].then([stage])
    made = method(toy.problem(), epochs=(1, 0), **TINY)
    message = f"stage '{stage}' would change nothing: in a cosine classifier"
    with pytest.raises(ValueError, match=message):
        rehearse(made, toy.loader())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fixture", "killed"),
    [
        ("stages", "crt"),
        ("stages", "lws"),
        ("going_on", "mislas"),
        ("going_on", "los"),
        ("going_on", "maxnorm"),
    ],
)
def test_resumes_exactly(fixture, killed, request):
    whole = request.getfixturevalue(fixture)
    made = recipe() if fixture == "stages" else going_on_recipe()
    resumed = train(made, workdir=whole["folder"].with_name(killed))
    last = made.stages[-1].name
    for name, value in whole[last].items():
        np.testing.assert_array_equal(resumed[last][name], value)


@pytest.mark.slow
def test_resumes_before_a_stage_without_epochs(stages, tmp_path):
    class Stop(Exception):
        pass

    def stop(stage, model):
        if stage.name == "ncm":
            raise Stop

    options = {"verbose": False, "jit_compile": JIT, "workdir": tmp_path}
    with pytest.raises(Stop):
        run(recipe(), toy.loader(), on_stage_end=stop, **options)
    resumed = train(recipe(), workdir=tmp_path)
    assert "tau" not in resumed
    for name, value in stages["ncm"].items():
        np.testing.assert_array_equal(resumed["ncm"][name], value)


def test_starts_from_another_run(stages):
    path = stages["folder"] / "stages" / "0-train.npz"
    seen = train(recipe(("lws",)), start=("lws", path))
    for name, value in stages["train"].items():
        if "moving_" not in name:
            np.testing.assert_array_equal(seen["lws"][name], value)


def test_published_settings():
    method = METHODS["ce"].then(["crt", "lws"])
    preset = method.presets["imagenet_lt"] | {"backbone": "micro"}
    _, crt, lws = method(toy.problem(), **preset).stages
    assert (crt.epochs, lws.epochs) == (10, 5)
    for stage in (crt, lws):
        optimizer = stage.optimizer(1)
        assert (optimizer.momentum, optimizer.l2) == (0.9, 5e-4)
        rates = optimizer.get_config()["learning_rate"]["config"]["rates"]
        assert rates[0] == 0.2
        assert stage.batch_size == 512
    _, crt, _ = method(toy.problem()).stages
    assert crt.sampler == ClassBalanced()
