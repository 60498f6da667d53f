"""A checkpoint sets known fields of known types, and no others."""

import json

import numpy as np
import programs
import pytest

from keras_lt.array_files import write_arrays
from keras_lt.training.progress import Progress
from keras_lt.training.store import Store

pytestmark = programs.once("tensorflow")
STAGES = ["first", "second"]
FIELDS = {
    "index": 1,
    "epoch": 2,
    "seconds": 3.5,
    "records": {"first": {"accuracy": 0.5}},
    "spent": {"steps": 1.0, "compile": -0.01},  # what was left of a total
}


def written(tmp_path, **fields):
    text = json.dumps(fields)
    arrays = {"__progress__": np.array(text)}
    write_arrays(tmp_path / "checkpoint.npz", arrays)
    return tmp_path


def test_what_was_written_is_read():
    full = {**FIELDS, "step": 3, "rate": 0.1, "lines": 4}
    assert vars(Progress.from_json(Progress(**full).to_json(), STAGES)) == full


def test_an_earlier_version_knew_fewer(tmp_path):
    store = Store(written(tmp_path, **FIELDS), STAGES)
    assert (store.index, store.epoch, store.step) == (1, 2, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"files": "elsewhere"},
        {"stages": []},
        {"writes": True},
        {"__class__": "Store"},
        {"index": 3},
        {"index": -1},
        {"index": True},
        {"index": "1"},
        {"epoch": 1.5},
        {"step": None},
        {"lines": "4"},
        {"rate": float("nan")},
        {"seconds": float("inf")},
        {"seconds": []},
        {"records": {"third": 1}},
        {"records": []},
        {"spent": {"steps": "all"}},
    ],
    ids=str,
)
def test_anything_else_is_refused(tmp_path, wrong):
    workdir = written(tmp_path, **FIELDS | wrong)
    with pytest.raises(ValueError, match="checkpoint.npz is no checkpoint"):
        Store(workdir, STAGES)


@pytest.mark.parametrize("text", ["[]", "7", "{}", "", "[" * 10**5, "\0"])
def test_what_is_no_progress_is_refused(tmp_path, text):
    arrays = {"__progress__": np.array(text or " ")}
    write_arrays(tmp_path / "checkpoint.npz", arrays)
    with pytest.raises(ValueError, match="checkpoint.npz is no checkpoint"):
        Store(tmp_path, STAGES)


def test_metrics_that_are_shorter_than_the_checkpoint_says(tmp_path):
    line = {"stage": "first", "epoch": 0, "loss": 1.0}
    more = {"stage": "second", "epoch": 5, "loss": 1.0}
    written(tmp_path, **FIELDS, lines=1)
    path = tmp_path / "metrics.jsonl"
    path.write_text(f"{json.dumps(line)}\n{json.dumps(more)}\n[]\n{{}}\nha")
    assert Store(tmp_path, STAGES).lines == 1
    assert path.read_text() == f"{json.dumps(line)}\n"
    path.write_bytes(b"\xff\n")
    with pytest.raises(ValueError, match="jsonl holds 0 of the 1 epochs"):
        Store(tmp_path, STAGES)
    path.unlink()
    with pytest.raises(ValueError, match="put it back"):
        Store(tmp_path, STAGES)
