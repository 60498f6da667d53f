"""What holds for every method: trains, serves, saves, resumes."""

import dataclasses
import functools

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.methods import METHODS
from keras_lt.training import (
    evaluate,
    predict_logits,
    read_weights,
    rehearse,
    run,
    without_optimizer,
)
from keras_lt.training.transfer import named_variables

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
EPOCHS = {
    name: (2,) * len(method.defaults["epochs"])
    for name, method in METHODS.items()
}
FEWER = {
    "auto": {"candidates": "la,crt"},
    "mislas": {"mislas_epochs": 2},
    "record": {"num_experts": 2, "hardest": 0.01, "mutual": 0.1},
    "ride": {"num_experts": 2},  # as many as routers need
    "shike": {"num_experts": 2, "hardest": 0.1, "warmup_lr": 0.005},
}


def recipe(method, **options):
    options = {"backbone": "micro", "width": 4, "lr": 0.02} | options
    options = FEWER.get(method, {}) | options
    return METHODS[method](
        toy.problem(), epochs=EPOCHS[method], batch_size=8, **options
    )


def judge(stage, model):
    """What methods that choose choose by."""
    return {"validation_accuracy": {"overall": 1.0, "balanced": 1.0}}


def train(
    method,
    workdir=None,
    callbacks=lambda stage: (),
    kind="numpy",
    number=None,
    **how,
):
    """Train all stages, or so many."""
    made = recipe(method)
    return run(
        dataclasses.replace(made, stages=made.stages[:number]),
        toy.loader(kind),
        workdir=workdir,
        callbacks=callbacks,
        on_stage_end=judge,
        **how,
        checkpoint_seconds=0,
        verbose=False,
        jit_compile=False if ON_TENSORFLOW else "auto",
    )


# Methods of one stage do what those of more do: once is enough.
SINGLE = [m for m in METHODS if len(METHODS[m].defaults["epochs"]) == 1]
ONCE = dict.fromkeys(SINGLE, programs.once("jax"))
ONCE |= dict.fromkeys(("ldam", "shike", "auto"), programs.once("tensorflow"))
ONCE["record"] = programs.once("jax")  # of the parts of the one before
ONCE["adapt"] = programs.once("jax")

# On two devices: what differs in losses, stages, weights or callbacks. Copies
# of a network compile long, so of long methods the first stage has to do.
SPREAD = {
    "jax": ("ce", "reslt", "record", "adapt", "mislas", "wb", "ride", "ssd"),
    "tensorflow": ("ldam", "ride", "ssd"),
}


def cases(once):
    every = [pytest.param(m, marks=once.get(m, ())) for m in METHODS]
    return pytest.mark.parametrize("method", every)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Function from a method to an outcome and its folder.

    What a kill in the middle leaves lies beside, as "cut".
    """

    @functools.cache
    def outcome(method):
        folder = tmp_path_factory.mktemp(method) / "whole"
        stages = [stage for stage in recipe(method).stages if stage.epochs]
        middle = stages[len(stages) // 2].name  # test_runner has each boundary

        def copy(stage):
            half = stage.epochs // 2
            kill = toy.CopyIn(half, folder, folder.with_name("cut"))
            return [kill] if stage.name == middle else []

        return train(method, folder, copy), folder

    return outcome


@cases(ONCE)
def test_trains_serves_saves_and_resumes(method, finished, tmp_path):
    expected, whole = finished(method)
    cut = whole.with_name("cut")
    outcome = train(method, cut)
    for mine, theirs in zip(
        outcome.model.get_weights(), expected.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)
    for path in (whole / "stages").iterdir():
        mine = read_weights(cut / "stages" / path.name)
        for name, value in read_weights(path).items():
            np.testing.assert_array_equal(mine[name], value)

    serve = recipe(method).serve(outcome.model)
    pixels, labels = toy.test_images()
    logits = predict_logits(serve, pixels)
    assert logits.shape == (len(pixels), 3)
    accuracy = evaluate(serve, pixels, labels, toy.COUNTS)["accuracy"]
    assert {"medium", "few"} <= set(accuracy)
    assert "many" not in accuracy

    path = tmp_path / "model.keras"
    without_optimizer(serve).save(path)
    loaded = keras.saving.load_model(path)  # safe mode
    np.testing.assert_allclose(
        predict_logits(loaded, pixels), logits, rtol=1e-5, atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", SPREAD[keras.backend.backend()])
def test_two_devices_are_one(method, finished):
    kind, number = ("tf.data", 1) if ON_TENSORFLOW else ("device", None)
    folder = finished(method)[1] / "stages"
    with toy.two_devices():
        spread = train(
            method, kind=kind, sync_batch_norm=True, number=number
        ).model
    *_, last = sorted(folder.glob("[0-9]-*.npz"))[:number]
    expected = read_weights(last)
    for name, variable in named_variables(spread):
        np.testing.assert_allclose(
            variable, expected[name], rtol=1e-5, atol=1e-5
        )
    for variable in spread.variables:
        np.testing.assert_array_equal(*toy.copies(variable), variable.path)


@pytest.mark.parametrize("method", METHODS)
def test_presets_are_hyperparameters(method):
    assert "digits" in METHODS[method].presets
    for preset in METHODS[method].presets.values():
        assert METHODS[method](toy.problem(), **preset).stages


@programs.once("tensorflow")
@pytest.mark.parametrize("method", [m for m in METHODS if m != "auto"])
def test_stages_can_follow(method):
    """Without training: `test_stages` trains them."""
    after = ["mislas", "crt", "lws", "los", "maxnorm", "tau", "la", "ncm"]
    after = [name for name in after if name not in METHODS[method].after]
    made = METHODS[method].then(after)(
        toy.problem(),
        backbone="micro",
        width=4,
        epochs=EPOCHS[method],
        batch_size=8,
        **FEWER.get(method, {}),
    )
    rehearse(made, toy.loader())
    assert [stage.name for stage in made.stages[-len(after) :]] == after
    model = made.build()
    for stage in made.stages:
        model = stage.setup(model)
        kinds = {v.path.split("/")[-1] for v in model.trainable_variables}
        if stage.name in ("crt", "los", "maxnorm"):
            assert kinds <= {"kernel", "bias"}
            owners = {v.path.split("/")[0] for v in model.trainable_variables}
            assert all("head" in owner for owner in owners)
        elif stage.name == "lws":
            assert kinds == {"scales"}
        elif stage.name == "mislas":
            assert kinds - {"bias"} == {"kernel", "scales"}
        assert made.serve(model).output_shape == (None, 3)


@pytest.mark.slow
@programs.once("tensorflow")  # which does not promote what does not fit
@pytest.mark.parametrize("method", METHODS)
def test_every_stage_steps_in_mixed_precision(method):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = recipe(method).build()
        for stage in recipe(method).stages:
            model = stage.setup(model)
            if stage.epochs:
                new = stage.optimizer and stage.optimizer(3)
                new = new or model.optimizer
                model.compile(new, stage.loss, run_eagerly=True)
                loss = model.train_on_batch(*toy.loader().train(stage, 0)[0])
                assert np.isfinite(loss)
        assert model.output.dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")
