import dataclasses

import keras
import programs
import pytest

from keras_lt.methods import METHODS
from keras_lt.runs import from_python, plan, values
from keras_lt.runs.config import RunConfig
from keras_lt.runs.manner import Manner
from keras_lt.runs.options import Choice, Conditions, DataOptions
from keras_lt.runs.request import Request
from keras_lt.runs.values import hyperparameters

WB = METHODS["wb"]


def request(accumulate_steps=1, **choice):
    return Request(
        choice=Choice(**choice),
        conditions=Conditions(accumulate_steps=accumulate_steps),
        images=DataOptions(),
        manner=Manner(),
        command="",
    )


def resolved(settings, asked):
    variant = plan.Variant("wb", WB, settings, {})
    return hyperparameters(variant, "digits", asked)


@pytest.mark.parametrize("scaling", ["none", "linear"])
def test_learning_rates_of_another_batch_size(scaling):
    own = resolved({}, request())
    batch = 4 * own["batch_size"]
    asked = request(batch_size=batch, lr_scaling=scaling)
    found = resolved({"head_lr": 0.5}, asked)
    factor = 4 if scaling == "linear" else 1
    changed = {"batch_size": batch, "lr": factor * own["lr"], "head_lr": 0.5}
    assert found == own | changed


@programs.once("jax")
def test_the_content_of_an_encoder_decides_the_result(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def config():
        images = keras.Input((8, 8, 3))
        maps = keras.layers.Conv2D(4, 3)(images)
        keras.Model(images, maps).save("net.keras")
        own = ("backbone=net.keras", "steps=1")
        (run,) = plan.make_runs(request(method=("adapt",), set=own))
        return run.config

    first, second = config(), config()
    name, mine, theirs = first.difference(second)
    assert name == "encoder_sha256" and None not in (mine, theirs)
    assert first.difference(RunConfig.from_json(first.to_json())) is None
    earlier = dataclasses.replace(first, encoder_sha256=None)
    assert second.difference(earlier) is None


def test_presets_depend_on_the_network():
    reslt = METHODS["reslt"]

    def resolved(asked, **settings):
        variant = plan.Variant("reslt", reslt, settings, {})
        return hyperparameters(variant, "imagenet_lt", asked)

    def rate_and_batch(*arguments, **settings):
        found = resolved(*arguments, **settings)
        return found["lr"], found["batch_size"]

    assert rate_and_batch(request()) == (0.1, 256)
    assert rate_and_batch(request(), num_experts=3) == (0.05, 128)
    assert rate_and_batch(request(), num_experts=3, lr=0.2) == (0.2, 128)
    larger = request(batch_size=512, lr_scaling="linear")
    assert rate_and_batch(larger, num_experts=3) == (0.2, 512)
    ten = resolved(request(), backbone="resnet10")
    assert (ten["pool"], ten["tau"], ten["lr"]) == ("before", 0.3, 0.1)


def test_every_batch_divides_over_parts_and_devices(monkeypatch):
    monkeypatch.setattr(values, "replicas", lambda: 2)
    sizes = {"batch_size": 96, "scales_batch_size": 48, "other": 7}
    values._check_parts(sizes, 3)
    values._check_parts(sizes | {"scales_batch_size": None}, 16)
    with pytest.raises(ValueError, match="batch_size 48 does not divide"):
        values._check_parts(sizes, 16)


@pytest.mark.slow
def test_a_recipe_sees_the_parts_of_its_batches():
    for parts, size in ((1, 64), (4, 16)):
        (run,) = plan.make_runs(request(accumulate_steps=parts, method=("ce",)))
        assert run.config.hyperparameters["batch_size"] == 64
        assert run.recipe.stages[0].batch_size == size


@pytest.mark.parametrize("then", [("crt", "tau"), "crt,tau"])
def test_from_python_stages_come_one_after_the_other(then, monkeypatch):
    seen = []

    def made(request):
        seen.extend(plan.make_variants(request.choice, request.conditions))
        raise InterruptedError

    monkeypatch.setattr(from_python, "make_runs", made)
    with pytest.raises(InterruptedError):
        from_python.train("ce", then=then)
    assert [line.then for line in seen] == [("crt", "tau")]


@pytest.mark.slow
def test_labels_are_mixed_for_losses_that_take_them():
    def runs(method):
        mixed = Conditions(augment=("published", "mixup(0.2)"))
        asked = request(method=(method,), set=("backbone=micro",))
        return plan.make_runs(dataclasses.replace(asked, conditions=mixed))

    for method in ("balanced_softmax", "focal", "ldam"):
        assert runs(method)[0].recipe.stages[0].transforms
