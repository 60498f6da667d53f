import json

import keras
import numpy as np
import programs
import pytest
from battery.kills import pictured

from keras_lt import training
from keras_lt.data import load

NAMES = (
    *("overall", "balanced", "macro_f1", "worst_class"),
    *("many", "medium", "few"),
)
SIZE = ("--set=backbone=micro", "--set=width=4")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of two methods and two seeds, with plots."""
    folder = tmp_path_factory.mktemp("train")
    out, _ = programs.run(
        "train.py",
        "--method=ce,wb",
        "--seed=0,1",
        *SIZE,
        "--epochs_scale=0.02",
        "--validation_per_class=2",
        "--flip_tta",
        "--workdir=here",
        cwd=folder,
    )
    return folder, out


@pytest.mark.slow
@programs.once("jax")
def test_prints_every_stage_and_the_means(run):
    _, out = run
    for word in ("ce, seed 0", "wb, seed 1", "features", "classifier"):
        assert word in out
    means = out.split("Mean accuracy")[1].splitlines()
    measures = ("overall", "balanced", "macro", "F1", "worst")
    assert means[1].split() == ["method", *measures, *NAMES[-3:]]
    assert [line.split()[0] for line in means[2:]] == ["ce", "wb"]


@programs.once("jax")
def test_prints_where_the_time_went(run):
    _, out = run
    lines = [line for line in out.splitlines() if line.startswith("time: ")]
    assert len(lines) == 4
    for part in ("steps", "compile", "input", "validation", "checkpoints"):
        assert f"{part} " in lines[0]


@programs.once("jax")
def test_the_folder_holds_everything(run):
    pytest.importorskip("matplotlib")
    folder = run[0] / "here" / "digits_lt-50-wb-seed1"
    names = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert names == {
        "config.json",
        "metrics.jsonl",
        "model.keras",
        "plots/accuracy.png",
        "plots/curves.png",
        "plots/norms.png",
        "result.json",
        "stages/0-features.npz",
        "stages/1-classifier.npz",
    }


@programs.once("jax")
def test_result_json(run):
    folder = run[0] / "here" / "digits_lt-50-wb-seed1"
    result = programs.result(folder)
    dataset = load("digits_lt", validation_per_class=2)
    assert result["method"] == "wb"
    assert result["dataset"] == "digits_lt"
    assert result["imbalance_ratio"] == 50
    assert result["backend"] == keras.backend.backend()
    assert result["seed"] == 1
    assert result["epochs"] == 4  # 2 % of 100 and 10, at least two each
    assert result["split_sha256"] == dataset.split_sha256
    assert set(result["accuracy"]) == set(NAMES)
    assert result["accuracy"] == result["stages"]["classifier"]["accuracy"]
    assert set(result["validation_accuracy"]) == set(result["accuracy"])
    kinds = {"tensorflow": "tf.data", "jax": "numpy"}
    assert result["input"] == kinds[result["backend"]]
    assert all(seconds > 0 for seconds in result["seconds"].values())
    assert {"input", "steps", "validation"} <= set(result["seconds"])
    assert result["train_seconds"] > 0
    assert result["images_per_second"] > 0
    assert result["versions"]["keras"] == keras.__version__
    assert "--seed=0,1" in result["command"]
    assert result["hyperparameters"]["l2"] == 5e-3


@pytest.mark.slow
@programs.once("jax")
def test_precision_reaches_the_encoder_but_not_the_logits(tmp_path):
    programs.run(
        "train.py",
        *programs.TINY,
        "--precision=mixed_bfloat16",
        "--workdir=run",
        cwd=tmp_path,
    )
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    assert model.get_layer("encoder").layers[1].compute_dtype == "bfloat16"
    assert model.get_layer("head").compute_dtype == "float32"


@programs.once("jax")
def test_evaluate_reproduces_the_result_from_the_model(run):
    folder = run[0] / "here" / "digits_lt-50-wb-seed1"
    out, _ = programs.run("evaluate.py", folder, cwd=run[0])
    assert out.splitlines()[-1] == "equal"
    result = programs.result(folder)
    assert f"{100 * result['accuracy']['few']:.1f}" in out.splitlines()[-2]


@programs.once("jax")
def test_the_same_command_again_does_not_train_again(run):
    folder = run[0] / "here" / "digits_lt-50-ce-seed0"
    before = (folder / "result.json").read_text()
    out, _ = programs.run(
        "train.py",
        "--method=ce",
        *SIZE,
        "--epochs_scale=0.02",
        "--validation_per_class=2",
        "--flip_tta",
        f"--workdir={folder}",
        "--noplots",
        cwd=run[0],
    )
    assert "complete already" in out
    assert (folder / "result.json").read_text() == before


@pytest.mark.slow
@programs.once("tensorflow")  # test_processes kills processes on both
def test_a_killed_run_ends_in_the_same_result(tmp_path):
    whole = tmp_path / "whole"
    wb = ("--method=wb", "--set=epochs=(2,2)", *programs.MICRO)
    command = ("train.py", *wb, "--checkpoint_seconds=0")
    with pictured(whole, tmp_path / "pictures") as pictures:
        programs.run(*command, f"--workdir={whole}", cwd=tmp_path)
    *_, killed = (  # in the second stage
        path
        for path in pictures
        if (path / "checkpoint.npz").exists()
        and not (path / "model.keras").exists()
    )
    assert (killed / "stages" / "0-features.npz").exists()
    assert not (killed / "result.json").exists()
    (killed / "run.lock").unlink()  # of this process, which lives
    programs.run(*command, f"--workdir={killed}", cwd=tmp_path)
    mine, theirs = (programs.result(path) for path in (killed, whole))
    for name in ("accuracy", "stages", "epochs", "hyperparameters"):
        assert mine[name] == theirs[name]
    assert (killed / "metrics.jsonl").read_text().count("\n") == 4
    models = [
        keras.saving.load_model(path / "model.keras").get_weights()
        for path in (killed, whole)
    ]
    for left, right in zip(*models, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.slow
@pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="several seeds a program need JAX"
)
def test_seeds_side_by_side(tmp_path, monkeypatch):
    options = (*programs.TINY, "--input=device")
    modes, together = [], training.together

    def observed(jobs, *, vectorised):
        modes.append(vectorised)
        return together(jobs, vectorised=vectorised)

    monkeypatch.setattr(training, "together", observed)

    def losses(folder):
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line)["loss"] for line in lines]

    runs = tmp_path / "both"
    out, _ = programs.run(
        *("train.py", *options, "--seeds=0,1", f"--workdir={runs}"),
        "--seeds_mode=in_turn",
        cwd=tmp_path,
    )
    assert "Mean accuracy" in out
    assert modes == [False]
    alone = tmp_path / "alone"
    programs.run(
        *("train.py", *options, "--seed=1", f"--workdir={alone}"), cwd=tmp_path
    )
    zero, one = (losses(runs / f"digits_lt-50-ce-seed{i}") for i in (0, 1))
    np.testing.assert_allclose(one, losses(alone), rtol=1e-3)
    assert not np.allclose(zero, one, rtol=1e-2)
    assert programs.result(alone)["input"] == "device"


@pytest.mark.slow
@programs.once("tensorflow")
def test_digits_of_the_first_version_are_read_with_their_split(tmp_path):
    run = ("--workdir=run", "--test_per_class=50")
    programs.run("train.py", *programs.TINY, *run, cwd=tmp_path)
    path = tmp_path / "run" / "config.json"
    config = json.loads(path.read_text())
    del config["identity"]["test_per_class"]  # which had no name then
    path.write_text(json.dumps(config))
    programs.run("evaluate.py", "run", cwd=tmp_path)
    config["identity"]["test_per_class"] = None
    path.write_text(json.dumps(config))
    _, err = programs.run("evaluate.py", "run", cwd=tmp_path, status=2)
    assert "these are not the images of the run" in err
