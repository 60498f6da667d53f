"""Folders of version 0.1.0 are read, and their runs go on."""

import pathlib
import re
import shutil

import numpy as np
import programs
import pytest

from keras_lt import data
from keras_lt.runs import RunFolder

FOLDERS = pathlib.Path(__file__).parents[1] / "runs" / "first_version"
SSD = (
    *("train.py", "--method=ssd", "--set", "width=4"),
    *("--set", "epochs=(1,1,2,1)", "--noplots", "--workdir=run"),
)
pytestmark = programs.once("tensorflow")  # on which they were made


@pytest.fixture
def copied(tmp_path):
    def copy(name):
        shutil.copytree(FOLDERS / name, tmp_path / "run")
        return tmp_path

    return copy


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wb", "ride"])
def test_finished_runs_are_evaluated(name, copied):
    out, _ = programs.run("evaluate.py", "run", cwd=copied(name))
    was, now = (
        [float(x) for x in re.findall(r"[\d.]+", line.split(title)[1])]
        for title, line in zip(
            ("result.json", "now"), out.splitlines()[1:3], strict=True
        )
    )
    assert len(was) == 4 and len(now) == 7
    del now[1:4]  # measures that were not there then
    assert now == pytest.approx(was, abs=0.5)
    assert ("s routed" in out) == (name == "ride")


@pytest.mark.slow
def test_finished_runs_are_exported_and_asked(copied, monkeypatch):
    folder = copied("wb")
    programs.ask_here(monkeypatch)
    monkeypatch.setattr(data, "load", None)  # none of it needs the data
    out, _ = programs.run("export.py", "run", cwd=folder)
    assert "on 64 drawn images no logit differs by more than" in out
    np.save(folder / "two.npy", np.zeros((2, 8, 8, 1), "uint8"))
    artefact = "run/export/saved_model"
    out, _ = programs.run("predict.py", artefact, "two.npy", cwd=folder)
    assert len(out.splitlines()) == 2


def test_a_finished_run_is_complete(copied):
    folder = copied("wb")
    command = ("train.py", "--method=wb", "--set", "width=4", "--workdir=run")
    options = ("--set", "epochs=(2,2)", "--noplots", "--test_per_class=50")
    out, _ = programs.run(*command, *options, cwd=folder)
    assert "run is complete already" in out


@pytest.mark.slow
def test_a_run_goes_on_with_its_own_split(copied):
    folder = copied("ssd")
    lines = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 3  # it was killed in the third stage
    _, err = programs.run(*SSD, cwd=folder, status=2)
    assert "configuration: split_sha256 is" in err
    programs.run(*SSD, "--test_per_class=50", cwd=folder)
    run = RunFolder(folder / "run")
    after = run.metrics.read_text().splitlines()
    assert after[:3] == lines and len(after) == 5
    assert [*run.result()["stages"]][-1] == "rescale"
    assert run.model().output_shape == (None, 10)
