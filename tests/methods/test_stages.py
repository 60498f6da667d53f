"""Stages that follow a method, trained."""

import keras
import numpy as np
import pytest
import toy

from keras_lt.layers import NearestClassMean
from keras_lt.methods import METHODS
from keras_lt.models import new_heads
from keras_lt.samplers import ClassBalanced
from keras_lt.training import predict_logits, run
from keras_lt.training.transfer import named_variables

JIT = False if keras.backend.backend() == "tensorflow" else "auto"
AFTER = ("crt", "lws", "tau", "ncm")


def recipe(after=AFTER, **options):
    method = METHODS["ce"].then(after)
    options = {f"{n}_epochs": 2 for n in after if n in ("crt", "lws")} | options
    return method(
        toy.problem(),
        backbone="micro",
        width=4,
        lr=0.05,
        epochs=(2,),
        batch_size=16,
        **options,
    )


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


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stages")
    return train(recipe(), workdir=folder) | {"folder": folder}


def changed(before, after):
    return {
        name
        for name in before
        if name in after and not np.array_equal(before[name], after[name])
    }


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


@pytest.mark.parametrize("killed", ["crt", "lws"])
def test_resumes_exactly(stages, killed, tmp_path):
    def kill(stage):
        return [toy.KillIn(1)] if stage.name == killed else []

    with pytest.raises(InterruptedError):
        train(recipe(), workdir=tmp_path, callbacks=kill)
    resumed = train(recipe(), workdir=tmp_path)
    for name, value in stages["ncm"].items():
        np.testing.assert_array_equal(resumed["ncm"][name], value)


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
