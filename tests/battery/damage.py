"""Damaged and hostile files: one line that names the file, or the truth."""

import functools
import itertools
import json
import pathlib
import shutil

import numpy as np
from battery import small

from keras_lt.array_files import write_arrays
from keras_lt.runs import RunConfig, RunFolder
from keras_lt.runs.options import DataOptions
from keras_lt.training.store import Store
from keras_lt.training.transfer import restore_weights

STAGES = ["one", "two"]
FOREIGN = {
    "empty": b"",
    "zeros": bytes(4096),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "null": b"null",
    "list": b"[]",
    "text": b"hello",
    "latin": b"\xe4\xff\xfe",
    "deep": b"[" * 100_000,
    "nan": b'{"identity": NaN, "stage": NaN}',
    "zip": b"PK\x05\x06" + bytes(18),
    "pickle": b"cos\nabort\n(tR.",
}


def folder_of_a_run(folder):
    """A finished run with its checkpoint, as a kill at the end leaves it."""
    run = RunFolder(folder)
    outcome = small.train(run.path)
    config = RunConfig(
        method="wb",
        hyperparameters={"lr": 0.1},
        data=DataOptions(imbalance_ratio=50.0),
        on_disk=False,
        splits_test=True,
        split_sha256="0",
        backend="jax",
        seed=0,
    )
    run.begin(config, {"cores": 2}, data_dir=None)
    checkpoint = run.checkpoint.read_bytes()
    run.save_model(outcome.model)
    run.finish({"method": "wb", "accuracy": {"overall": 0.5}})
    run.checkpoint.write_bytes(checkpoint)
    return run


def readers(run):
    """What reads each file of a run, as functions of the folder."""
    model = small.recipe().build()
    weights = [path.relative_to(run.path) for path in run.path.rglob("0-*.npz")]
    return {
        "config.json": lambda run: run.config().to_json(),
        "result.json": lambda run: run.result(("method", "accuracy")),
        "metrics.jsonl": lambda run: vars(_store(run))["lines"],
        "checkpoint.npz": lambda run: (_store(run).index, _store(run).records),
        "model.keras": lambda run: _flat(run.model().get_weights()),
        **{
            str(path): functools.partial(_restored, path, model)
            for path in weights
        },
    }


def _restored(path, model, run):
    restore_weights(run.path / path, model)
    return _flat(model.get_weights())


def _store(run):
    return Store(run.path, STAGES)


def _flat(arrays):
    return np.concatenate([np.ravel(array) for array in arrays]).tolist()


def damages(content, number, random):
    """Contents that a file may have in place of its own."""
    yield from FOREIGN.values()
    for place in np.linspace(0, len(content) - 1, number, dtype=int):
        yield content[:place]
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(random.integers(8))
        yield bytes(flipped)
        yield content[:place] + bytes(16) + content[place + 16 :]


def damaged(folder, number):
    """Damage every file of a run in many ways, and read it.

    Args:
        folder: Where to.
        number: Places in each file.

    Returns:
        How many there were, and a line about each that was not answered.
    """
    run = folder_of_a_run(pathlib.Path(folder) / "run")
    random, tried, wrong = np.random.default_rng(0), 0, []
    for name, read in readers(run).items():
        expected = read(run)
        content = (run.path / name).read_bytes()
        binary = not name.endswith((".json", ".jsonl"))
        for bad in damages(content, number, random):
            tried += 1
            there = RunFolder(pathlib.Path(folder) / "damaged")
            shutil.rmtree(there.path, ignore_errors=True)
            shutil.copytree(run.path, there.path)
            (there.path / name).write_bytes(bad)
            try:
                found = read(there)
            except ValueError as error:
                if name not in str(error) or "\n" in str(error):
                    wrong.append(f"{name}: {error}")
                continue
            except Exception as error:
                wrong.append(f"{name}: {error!r}")
                continue
            # Another digit in a text is another text.
            if binary and found != expected:
                wrong.append(f"{name}: read as something else")
    return tried, wrong


HOSTILE_PROGRESS = [
    {field: value}
    for field, value in itertools.product(
        ("index", "epoch", "step", "seconds", "records", "spent", "files"),
        (-1, "x", None, [], {"three": {}}, 1e400, "../../etc", 10**30),
    )
]


def hostile_progress(folder):
    """Checkpoints that would set more than they may; none is taken."""
    good = {"index": 0, "epoch": 0, "seconds": 0.0, "records": {}, "spent": {}}
    folder, tried, wrong = pathlib.Path(folder), 0, []
    for changed in HOSTILE_PROGRESS:
        (name, value), *_ = changed.items()
        harmless = name in ("epoch", "step") and value == 10**30
        text = json.dumps(good | changed)
        path = folder / "checkpoint.npz"
        write_arrays(path, {"__progress__": np.array(text)})
        tried += 1
        try:
            store = Store(folder, STAGES)
        except ValueError as error:
            if "checkpoint.npz" not in str(error):
                wrong.append(f"{changed}: {error}")
            continue
        except Exception as error:
            wrong.append(f"{changed}: {error!r}")
            continue
        kept = store.files.path == folder and store.stages == STAGES
        seconds = name == "seconds" and value == 10**30
        empty = name in ("records", "spent") and value == []
        if not kept or not (harmless or seconds or empty):
            wrong.append(f"{changed}: accepted")
    return tried, wrong
