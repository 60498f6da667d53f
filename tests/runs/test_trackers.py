"""MLflow and Weights & Biases: what they are told, and when it ends.

Their parts are played by what has the few names of them that are used; with
the packages themselves where they are installed.
"""

import importlib.util
import json
import re
import sys
import types

import keras
import numpy as np
import programs
import pytest
import tiny

from keras_lt.runs import trackers


class Played:
    """Both packages: each notes what it is told."""

    def __init__(self):
        self.told = []
        self.MlflowClient = lambda: self

    def __getattr__(self, name):
        def note(*arguments, **named):
            self.told.append((name, *arguments, named))
            if name == "get_experiment_by_name":
                return None
            if name == "create_run":
                return types.SimpleNamespace(
                    info=types.SimpleNamespace(run_id="r1")
                )
            return self if name == "init" else "e1"

        return note

    def calls(self, name):
        return [call[1:] for call in self.told if call[0] == name]


@pytest.fixture
def played(monkeypatch):
    packages = {"mlflow": Played(), "wandb": Played()}
    for name, package in packages.items():
        monkeypatch.setitem(sys.modules, name, package)
    monkeypatch.setattr(
        "keras_lt.runs.checks.check_installed", lambda *about: None
    )
    return packages


def test_metrics_of_epochs_with_the_step_over_all_stages():
    told = []
    tracker = types.SimpleNamespace(log=lambda *call: told.append(call))
    model = tiny.compiled(
        tiny.linear(np.eye(2)),
        keras.optimizers.SGD(0.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    callback = trackers.Track(tracker, 5)
    tiny.fit(model, np.eye(2), [0, 1], epochs=2, callbacks=[callback])
    assert [step for _, step in told] == [6, 7]
    loss = float(np.log(1 + np.exp(-1)))
    for values, _ in told:
        assert values == pytest.approx({"loss": loss, "accuracy": 1.0})


@programs.once("tensorflow")
def test_what_mlflow_is_told(played):
    parameters = {"method": "wb", "hyperparameters": {"lr": 0.1}}
    with trackers.tracking(["mlflow"], "name", parameters) as (tracker,):
        tracker.log({"loss": 0.5}, 3)
    mlflow = played["mlflow"]
    assert mlflow.calls("create_run") == [("e1", {"run_name": "name"})]
    assert mlflow.calls("log_param") == [
        ("r1", "method", "wb", {}),
        ("r1", "lr", 0.1, {}),
    ]
    assert mlflow.calls("log_metric") == [("r1", "loss", 0.5, {"step": 3})]
    assert mlflow.calls("set_terminated") == [("r1", "FINISHED", {})]


@programs.once("tensorflow")
def test_a_failure_ends_the_run(played):
    with pytest.raises(KeyboardInterrupt):
        with trackers.tracking(["mlflow", "wandb"], "name", {}):
            raise KeyboardInterrupt
    assert played["mlflow"].calls("set_terminated") == [("r1", "FAILED", {})]
    assert played["wandb"].calls("finish") == [({"exit_code": 1},)]


@programs.once("tensorflow")
def test_a_training_tells_them(played, tmp_path):
    programs.run(
        *("train.py", *programs.TINY, "--mlflow", "--wandb"),
        *("--workdir=run", "--test_freq=1"),
        cwd=tmp_path,
    )
    result = programs.result(tmp_path / "run")
    wandb = played["wandb"]
    ((begun,),) = wandb.calls("init")
    assert begun["name"] == "run" and begun["project"] == "keras_lt"
    assert begun["config"]["method"] == "ce"
    assert begun["config"]["width"] == 4
    *epochs, last = wandb.calls("log")
    assert [named["step"] for _, named in epochs] == [1, 2]
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    for (values, _), line in zip(epochs, map(json.loads, lines), strict=True):
        assert values["loss"] == pytest.approx(line["loss"])
        assert values["test_accuracy"] == line["test_accuracy"]
    assert last == (result["accuracy"], {"step": 2})
    assert wandb.calls("finish") == [({"exit_code": 0},)]
    assert len(played["mlflow"].calls("log_metric")) > 4


@programs.once("tensorflow")
@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_missing_package_is_named(name, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda package, *more: package != name and find(package, *more),
    )
    command = ("train.py", *programs.TINY, f"--{name}")
    _, err = programs.run(*command, cwd=tmp_path, status=2)
    assert re.search(rf"--{name}.*keras_lt\[{name}\]", err)


@pytest.mark.slow
@programs.once("tensorflow")
def test_mlflow_itself(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/kept.db")
    with trackers.tracking(["mlflow"], "name", {"lr": 0.1}) as (tracker,):
        tracker.log({"loss": 0.5}, 3)
    run = mlflow.MlflowClient().get_run(tracker.run)
    assert run.data.metrics == {"loss": 0.5}
    assert run.data.params == {"lr": "0.1"}
    assert run.info.status == "FINISHED"


@pytest.mark.slow
@programs.once("tensorflow")
def test_weights_and_biases_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    with trackers.tracking(["wandb"], "name", {"lr": 0.1}) as (tracker,):
        tracker.log({"loss": 0.5}, 3)
    assert list(tmp_path.rglob("run-*.wandb"))
