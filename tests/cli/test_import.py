"""`keras-lt import`: a run out of a file of released code."""

import json

import keras
import numpy as np
import programs
import pytest
import released_layout as there

from keras_lt.cli import train
from keras_lt.data import load
from keras_lt.models import early_exit, folded, from_released, fused
from keras_lt.problem import Problem
from keras_lt.runs import RunFolder
from keras_lt.training.transfer import named_variables, read_weights

pytestmark = programs.once("tensorflow")
LDAM = ("import", "weights.npz", "--from=ldam")
STATISTICS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
NEXT = (
    *("train.py", "--method=ldam", "--then=crt", "--from_stage=crt"),
    *("--set=width=4", "--set=crt_epochs=1", "--init_from=run"),
    *("--noplots", "--workdir=next"),
)


def write(folder, state):
    np.savez(folder / "weights.npz", **state)
    return state


@pytest.mark.slow
def test_a_run_is_made_evaluated_and_goes_on(tmp_path):
    state = write(tmp_path, there.ldam(classes=10))
    out, _ = programs.run(
        *LDAM, "--dataset=digits_lt", "--out=run", cwd=tmp_path
    )
    assert out.splitlines() == [
        "classifier: resnet8, width 4, experts 1, classes 10, for digits_lt; "
        "36 entries",
        "left out, as nothing depends on them: 7 counters num_batches_tracked",
        "run written",
    ]
    dataset = load("digits_lt")
    images, labels = dataset.test
    x = ((images / 255 - 0.3) / 0.38).transpose(0, 3, 1, 2)
    x = there.maps(state, x, ("layer1", "layer2", "layer3")).mean((2, 3))
    answers = there.cosines(state, "linear", x).argmax(1)
    accuracy = f"{100 * np.mean(answers == labels):.1f}"
    out, _ = programs.run("evaluate.py", "run", cwd=tmp_path)
    (now,) = [line.split() for line in out.splitlines() if "now" in line]
    assert now[:2] == ["now", accuracy]
    assert "equal" not in out, "nothing was measured before"
    result = RunFolder(tmp_path / "run").result()
    assert result["class_counts"] == list(dataset.class_counts)
    assert result["hyperparameters"]["backbone"] == "resnet8"
    assert result["imported"]["from"] == "ldam"
    # A second stage leaves the features as they came.
    programs.run(*NEXT, cwd=tmp_path)
    trained = keras.saving.load_model(tmp_path / "next" / "model.keras")
    stem = trained.get_layer("encoder").get_layer("stem_conv")
    kernel = state["conv1.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(stem.kernel, kernel)


@pytest.mark.slow
def test_an_imported_run_teaches(tmp_path):
    write(tmp_path, there.ldam(classes=10))
    flags = ("--dataset=digits_lt", "--out=run")
    programs.run(*LDAM, *flags, cwd=tmp_path)
    (run,) = train.prepare(
        [
            *("train.py", "--method=ride", "--set=width=4"),
            *(f"--set=distill_from={tmp_path}/run", f"--workdir={tmp_path}/r"),
        ]
    )
    teacher = run.recipe.build().get_layer("teacher")
    assert teacher.get_layer("head").kernel.shape == (16, 10)


def test_images_need_not_be_there(tmp_path):
    write(tmp_path, there.ldam(classes=10, channels=3))
    programs.run(*LDAM, "--imbalance_ratio=50", "--out=run", cwd=tmp_path)
    folder = RunFolder(tmp_path / "run")
    result, config = folder.result(), folder.config()
    assert result["dataset"] == "cifar10_lt"  # which has as many classes
    assert result["class_counts"][0] == 5000
    assert result["class_counts"][-1] == 100
    assert result["class_names"][-1] == "9"
    assert result["accuracy"] is None
    assert config.split_sha256 is None
    assert folder.model().input_shape == (None, 32, 32, 3)
    with pytest.raises(ValueError, match="nowhere"):
        config.load_data("nowhere")  # looked for, not refused


def test_classes_sorted_by_size_get_their_order(tmp_path):
    state = write(tmp_path, there.reslt_large())
    state["conv1.weight"] = state["conv1.weight"].repeat(3, 1)
    write(tmp_path, state)
    flags = ("import", "weights.npz", "--from=reslt", "--dataset=folder")
    programs.run(
        *flags,
        *("--class_counts=5,20,9", "--image_size=16", "--set=tau=0.5"),
        "--out=run",
        cwd=tmp_path,
    )
    problem = Problem((16, 16, 3), (5, 20, 9), *STATISTICS)
    wanted = fused(
        from_released(state, "reslt", problem, class_order=(0, 2, 1)), tau=0.5
    )
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3))
    found = RunFolder(tmp_path / "run").model()
    np.testing.assert_allclose(found(images), wanted(images), atol=1e-5)
    out, _ = programs.run(*flags, "--out=second", cwd=tmp_path)
    assert "class 0 is the rarest one, and so on" in out
    assert "class counts are not known, all are taken as equal" in out
    counts = json.loads((tmp_path / "second/result.json").read_text())
    assert counts["class_counts"] == [1, 1, 1]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--from=paco",), "--from must be one of ['ride', "),
        (("--from=ldam", "--dataset=x"), "--dataset must be one of ["),
        (("--from=ldam",), "for a resnet8 of 3 classes, got 'auto'"),
        (
            ("--from=ldam", "--dataset=digits_lt"),
            "--dataset must be of the 3 classes of the file, got 10",
        ),
        (
            ("--from=ldam", "--dataset=folder", "--class_counts=3,2"),
            "--class_counts must be of the 3 classes of the file, got 2",
        ),
        (
            ("--from=ldam", "--dataset=cifar100_lt"),
            "--dataset must be of the 3 classes of the file, got 100",
        ),
        (
            ("--from=ldam", "--class_counts=3,2,1", "--data_dir=x"),
            "--class_counts and --data_dir exclude each other",
        ),
        (("--from=ldam", "--class_counts=3,x,2"), "whole numbers > 0, got 3,x"),
        (("--from=ldam", "--dataset=folder"), "have the 1 channels"),
        (("--from=ldam", "--set=depth=3"), "--set: no hyperparameter 'depth'"),
        (("--from=ldam", "--out=."), "--out: . is not empty"),
        (("--from=wb",), "`state` is of no network of ShadeAlsha"),
    ],
)
def test_what_cannot_be_imported_is_said_in_a_line(flags, message, tmp_path):
    write(tmp_path, there.ldam())
    if "--set=depth=3" in flags:
        flags += ("--dataset=cifar10_lt",)
        write(tmp_path, there.ldam(classes=10))
    if "--out=." not in flags:
        flags += ("--out=run",)
    _, err = programs.run(
        "import", "weights.npz", *flags, cwd=tmp_path, status=2
    )
    (line,) = err.splitlines()
    assert line.startswith("error: ") and message in line
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_missing(tmp_path):
    _, err = programs.run(*LDAM, cwd=tmp_path, status=2)
    assert err == "error: FILE: weights.npz is missing\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "make", "stage"),
    [
        ("ride", lambda: there.ride(top_k=2), "router"),
        ("ssd", lambda: there.ssd("self_supervised"), "self_supervised"),
        ("ssd", lambda: there.ssd("distill"), "distill"),
    ],
)
def test_all_weights_are_kept_beside_what_is_served(
    layout, make, stage, tmp_path
):
    state = make()
    for name, array in state.items():
        if array.ndim == 4 and array.shape[1] == 1:  # a stem for grey images
            state[name] = array.repeat(3, 1)
    write(tmp_path, state)
    programs.run(
        *("import", "weights.npz", f"--from={layout}", "--dataset=folder"),
        *("--image_size=16", "--out=run"),
        cwd=tmp_path,
    )
    folder = RunFolder(tmp_path / "run")
    problem = Problem((16, 16, 3), (1, 1, 1), *STATISTICS)
    model = from_released(state, layout, problem)
    kept = read_weights(folder.find_weights(stage))
    for name, variable in named_variables(model):
        np.testing.assert_array_equal(kept[name], variable)
    view = {"router": early_exit}.get(stage, folded)(model)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3))
    np.testing.assert_allclose(
        folder.model()(images), view(images), rtol=1e-5, atol=1e-5
    )


def test_a_branch_that_was_never_trained_is_named(tmp_path, monkeypatch):
    from keras_lt.runs import importing

    monkeypatch.setitem(importing.TRAINED_BRANCHES, "folder", 2)
    state = there.reslt_large()
    state["conv1.weight"] = state["conv1.weight"].repeat(3, 1)
    write(tmp_path, state)
    out, _ = programs.run(
        *("import", "weights.npz", "--from=reslt", "--dataset=folder"),
        *("--image_size=16", "--out=run"),
        cwd=tmp_path,
    )
    assert "never trained: all branches after the first 2" in out
    kept = read_weights(RunFolder(tmp_path / "run").find_weights("train"))
    assert kept["head/conv/kernel"].shape == (1, 1, 32, 64)
