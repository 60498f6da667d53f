"""What a run says and leaves when it cannot go on."""

import json
import shutil
import signal

import programs
import pytest

from keras_lt.runs.lock import locked

TRAIN = ("train.py", *programs.TINY, "--workdir=run")


def run(cwd, *more, status):
    _, err = programs.run(*TRAIN, *more, cwd=cwd, status=status)
    return err.splitlines()[-1]


@programs.once("jax")
def test_a_divergence_ends_with_status_3_and_without_a_result(tmp_path):
    line = run(tmp_path, "--set=lr=1e30", status=3)
    assert line.startswith("error: training diverged in stage train, epoch 1,")
    for word in ("step", "learning rate 5e+29", "kept: nothing", "smaller"):
        assert word in line
    assert not (tmp_path / "run" / "result.json").exists()
    assert not (tmp_path / "run" / "model.keras").exists()
    assert not (tmp_path / "run" / "run.lock").exists()


@programs.once("tensorflow")
def test_restarts_are_tried_three_times_and_recorded(tmp_path):
    line = run(tmp_path, "--set=lr=1e30", "--on_divergence=restart", status=3)
    records = json.loads((tmp_path / "run" / "divergences.json").read_text())
    rates = [record["rate"] for record in records]
    assert rates == pytest.approx([5e29, 2.5e29, 1.25e29])  # it warms up
    assert "learning rate 6.25e+28" in line


@programs.once("tensorflow")
def test_a_restart_is_in_the_result(finished, tmp_path):
    record = {"stage": "train", "epoch": 0, "step": 1, "rate": 1, "what": "a"}
    shutil.copytree(finished("ce")[0], tmp_path / "run")
    before = _first_rate(tmp_path)
    for name in ("result.json", "model.keras", "metrics.jsonl"):
        (tmp_path / "run" / name).unlink()
    (tmp_path / "run" / "divergences.json").write_text(json.dumps([record]))
    programs.run(*TRAIN, cwd=tmp_path)
    assert programs.result(tmp_path / "run")["divergences"] == [record]
    assert _first_rate(tmp_path) == pytest.approx(before / 2)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert len(config["starts"]) == 1  # both on the same


@programs.once("tensorflow")
def test_a_second_process_gets_one_line(tmp_path):
    with locked(tmp_path / "run" / "run.lock", ""):
        line = run(tmp_path, status=2)
    assert line.startswith("error: --workdir: run is in use by process ")


def _first_rate(folder):
    lines = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    return json.loads(lines[0])["learning_rate"]


@pytest.mark.slow
@programs.once("jax")
def test_a_signal_ends_the_program_with_a_status_of_its_own(tmp_path):
    options = ("--method=ce", "--set=epochs=(2000,)", *programs.MICRO)
    process = programs.start(*options, "--workdir=run", cwd=tmp_path)
    programs.wait_for_epochs(1, tmp_path / "run", process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 75
    last = err.splitlines()[-1]
    assert last.startswith("SIGTERM: stopped; kept: ")
    assert last.endswith("; the same command goes on")
    assert (tmp_path / "run" / "checkpoint.npz").exists()


@programs.once("tensorflow")
def test_damaged_files_of_a_run_are_named(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished("ce")[0], folder)
    (folder / "result.json").unlink()
    (folder / "checkpoint.npz").write_bytes(b"PK")
    line = run(tmp_path, status=2)
    assert line.startswith("error: run/checkpoint.npz is no file of arrays")
    assert line.endswith("remove the folder to begin anew")
