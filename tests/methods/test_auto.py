"""Cross entropy, and the choice of what follows."""

import dataclasses
import json

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.methods import METHODS
from keras_lt.methods.auto import best
from keras_lt.methods.following import THEN
from keras_lt.models import anatomy
from keras_lt.runs import judging, reports
from keras_lt.runs import train as train_from_python
from keras_lt.runs.folder import RunFolder
from keras_lt.training import Recipe, Stage, predict_logits, run
from keras_lt.training.transfer import named_variables

JIT = False if programs.keras.backend.backend() == "tensorflow" else "auto"
OTHERS = "la,la25,crt,ncm"


def recipe(**options):
    tiny = {"backbone": "micro", "width": 4, "lr": 0.05, "batch_size": 8}
    options = {"candidates": OTHERS} | tiny | options
    return METHODS["auto"](toy.problem(), epochs=(2, 2), **options)


VALIDATION = "validation_accuracy"


def record(balanced, overall=0.5):
    return {VALIDATION: {"balanced": balanced, "overall": overall}}


@programs.once("jax")
def test_it_ends_with_the_stage_that_is_best_on_validation_images():
    seen = {}

    def judge(stage, model):
        weights = {n: np.array(v) for n, v in named_variables(model)}
        logits = predict_logits(made.serve(model), toy.test_images()[0])
        seen[stage.name] = weights, logits
        return record({"crt": 0.9, "la": 0.7}.get(stage.name, 0.2))

    made = recipe()
    outcome = run(
        made,
        toy.loader("numpy"),
        on_stage_end=judge,
        jit_compile=JIT,
        verbose=False,
    )
    assert [*seen] == ["train", "la", "la25", "crt", "ncm"]
    assert outcome.stage == "crt"
    logits = predict_logits(made.serve(outcome.model), toy.test_images()[0])
    np.testing.assert_allclose(logits, seen["crt"][1], atol=1e-5)
    # All go on from the features of the first one.
    trained = {n: v for n, v in seen["train"][0].items() if "encoder" in n}
    assert trained
    for weights, _ in seen.values():
        for name, value in trained.items():
            np.testing.assert_array_equal(weights[name], value)
    # And from its classifier: "la" moves its logits by the log priors alone.
    priors = np.array(toy.COUNTS) / sum(toy.COUNTS)
    for name, tau in (("la", 1.0), ("la25", 0.25)):
        moved = seen[name][1] - seen["train"][1]
        np.testing.assert_allclose(
            moved, np.tile(-tau * np.log(priors), (len(moved), 1)), atol=1e-4
        )


@programs.once("tensorflow")
def test_features_of_a_pretrained_encoder_take_part(tmp_path):
    images = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(6, 3, activation="relu")(images)
    keras.Model(images, maps).save(tmp_path / "net.keras")
    made = recipe(candidates="la", pretrained=str(tmp_path / "net.keras"))
    ours = ("means", "adapt", "adapt75", "adapt50", "adapt25")
    assert made.candidates == ("train", *ours, "la")
    seen, whole, cut = {}, tmp_path / "whole", tmp_path / "cut"

    def judge(stage, model):
        seen[stage.name] = predict_logits(
            made.serve(model), toy.test_images()[0]
        )
        return record({"adapt50": 0.9}.get(stage.name, 0.2))

    def train(folder, kill=()):
        return run(
            made,
            toy.loader("numpy"),
            workdir=folder,
            on_stage_end=judge,
            callbacks=lambda stage: kill if stage.name == "adapt" else (),
            checkpoint_seconds=0,
            jit_compile=JIT,
            verbose=False,
        )

    outcome = train(whole, [toy.CopyIn(20, whole, cut)])
    assert outcome.stage == "adapt50"
    logits = predict_logits(made.serve(outcome.model), toy.test_images()[0])
    np.testing.assert_allclose(logits, seen["adapt50"], atol=1e-5)
    priors = np.array(toy.COUNTS) / sum(toy.COUNTS)
    given_back = seen["adapt50"] - seen["adapt"]
    np.testing.assert_allclose(
        given_back, np.tile(np.log(priors) / 2, (len(logits), 1)), atol=1e-4
    )
    assert np.abs(seen["adapt"] - seen["means"]).max() > 0.1  # it has learned
    (encoder,) = anatomy.encoders(outcome.model)
    for mine, theirs in zip(
        encoder.get_weights(),
        keras.saving.load_model(tmp_path / "net.keras").get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(mine, theirs)
    resumed = train(cut)
    assert resumed.stage == "adapt50"
    for mine, theirs in zip(
        resumed.model.get_weights(), outcome.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


@programs.once("tensorflow")
def test_no_candidate_may_move_the_encoder():
    """Neither its weights nor the statistics of its normalisation."""
    made = METHODS["auto"](toy.problem(), backbone="micro", width=4)
    features = made.build()
    assert [stage.name for stage in made.stages] == [*made.candidates]
    parts = {"la25", "la50", "la75"}
    assert set(made.candidates) == {"train", *THEN, *parts}
    for stage in made.stages[1:]:
        model = stage.setup(features)
        (encoder,) = anatomy.encoders(model)
        if stage.epochs:
            assert not any(layer.trainable for layer in encoder.layers)
            assert model.trainable_variables
        assert made.serve(model).output_shape == (None, 3)


@pytest.mark.parametrize(
    ("la", "crt", "chosen"),
    [
        ((0.5, 0.5), (0.5, 0.5), "train"),  # of equal ones the first
        ((0.6, 0.5), (0.61, 0.5), "crt"),
        ((0.6, 0.5), (0.59, 0.53), "crt"),  # two points of overall for one
        ((0.6, 0.5), (0.58, 0.53), "la"),
        ((0.6, 0.5), (0.9, 0.48), "la"),  # loses more than a point of it
        ((0.6, 0.491), (0.5, 0.5), "la"),
    ],
)
def test_the_best_is_so_for_classes_and_images(la, crt, chosen):
    records = {"train": record(0.5), "la": record(*la), "crt": record(*crt)}
    assert best(records) == chosen


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ("la,tua", "`candidates`: no stage 'tua'; did you mean 'tau'"),
        ("la,la", "`candidates` must differ, got"),
        ("la,", "`candidates`: no stage ''"),
        ("la100", "`candidates`: no stage 'la100'"),
    ],
)
def test_bad_candidates(candidates, message):
    with pytest.raises(ValueError, match=message):
        recipe(candidates=candidates)


def test_nothing_follows_what_is_chosen():
    with pytest.raises(ValueError, match="`then`: the method itself chooses"):
        METHODS["auto"].then(["tau"])(toy.problem(), backbone="micro")


class NoNumber(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.sum(y_pred, -1) * float("nan")


@programs.once("tensorflow")
def test_a_candidate_that_diverges_is_left_out(tmp_path, capsys):
    made = recipe(candidates="crt,la,lws")
    stages = [
        dataclasses.replace(stage, loss=NoNumber())
        if stage.name == "crt"
        else stage
        for stage in made.stages
    ]
    made = dataclasses.replace(made, stages=tuple(stages))
    how = {"jit_compile": JIT, "verbose": False, "workdir": tmp_path}

    def judge(stage, model):
        return record({"la": 0.7}.get(stage.name, 0.2))

    for _ in range(2):  # the second time all is done already
        outcome = run(made, toy.loader("numpy"), on_stage_end=judge, **how)
        assert outcome.stage == "la"
        assert "stage crt, epoch 1" in outcome.records["crt"]["diverged"]
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("crt is left out: training diverged in stage crt")
    found = judging.choice(made, outcome)["choice"]
    assert [*found["candidates"]] == ["train", "la", "lws"]
    assert [*found["diverged"]] == ["crt"]
    reports.print_choice(found)
    row = capsys.readouterr().out.splitlines()[4].split()
    assert row[:2] == ["crt", "diverged"]


def test_candidates_are_the_last_stages():
    stages = (Stage(name="a", epochs=1), Stage(name="b", epochs=1))
    with pytest.raises(ValueError, match="`candidates` must be the last of"):
        Recipe(build=list, stages=stages, candidates=("a",))
    lost = Stage(name="b", epochs=1, after="c")
    with pytest.raises(ValueError, match="`after` of stage 'b' must be one"):
        Recipe(build=list, stages=(stages[0], lost), candidates=("a", "b"))


@programs.once("jax")
def test_it_is_the_default_of_own_images(tmp_path):
    """On images that were held out, and its folder is like any other."""
    programs.write_photos(tmp_path / "photos")
    arguments = ("--dataset=folder", "--data_dir=photos", "--image_size=16")
    settings = {"candidates": "la,crt", "epochs": "(3,2)", "lr": "0.05"}
    own = [f"--set={name}={value}" for name, value in settings.items()]
    command = ("train.py", *arguments, *own, *programs.MICRO[:2])
    command = (*command, "--set=batch_size=10", "--noplots", "--workdir=run")
    out, _ = programs.run(*command, cwd=tmp_path)
    assert "validation: 8 images, 1 to 5 a class" in out
    assert "20% of what is left of each class, never trained on" in out
    assert "chosen by balanced and overall accuracy on held-out" in out
    result = programs.result(tmp_path / "run")
    found = result["choice"]
    assert [*found["candidates"]] == ["train", "la", "crt"]
    known = found["candidates"].items()
    assert found["chosen"] == best({n: {VALIDATION: v} for n, v in known})
    # Candidates that are not chosen never see a test image.
    assert [*result["stages"]] == [*dict.fromkeys(["train", found["chosen"]])]
    assert result["accuracy"] == result["stages"][found["chosen"]]["accuracy"]
    folder = RunFolder(tmp_path / "run")
    kept = {name for name in found["candidates"] if folder.find_weights(name)}
    assert kept == {*result["stages"]}
    assert folder.config().data.validation_share == 0.2
    again, _ = programs.run(*command, cwd=tmp_path)
    assert "is complete already" in again
    out, _ = programs.run("evaluate.py", tmp_path / "run", cwd=tmp_path)
    assert out.splitlines()[-1] == "equal"
    json.dumps(result, allow_nan=False)


@programs.once("jax")
def test_it_needs_images_to_choose_on(tmp_path):
    with pytest.raises(ValueError, match="--validation_per_class=N holds out"):
        train_from_python("auto", workdir=str(tmp_path / "run"))
