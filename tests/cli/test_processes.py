"""Two processes of one job train as one does."""

import itertools
import json
import time

import keras
import numpy as np
import programs
import pytest

from keras_lt.training import read_weights

pytestmark = pytest.mark.slow

ON_JAX = keras.backend.backend() == "jax"
OPTIONS = (
    "--method=ce",
    "--set=backbone=micro",
    "--set=width=4",
    "--set=epochs=(4,)",
    "--set=lr=0.02",  # so that rounding does not grow
    "--sync_batch_norm",
    "--validation_per_class=10",
    "--checkpoint_seconds=0",
    "--noplots",
)
PORTS = itertools.count(20_000 + time.time_ns() % 20_000, 2)


def start(folder):
    """Start both processes of a job."""
    return [
        programs.start(
            *(*OPTIONS, *flags, f"--workdir={folder}"),
            cwd=folder.parent,
            **environment,
        )
        for flags, environment in (with_jax if ON_JAX else with_tensorflow)(
            folder, next(PORTS)
        )
    ]


def with_jax(folder, port):
    """Flags and variables; without TensorFlow, which is slow to import."""
    absent = folder.parent / "absent"
    absent.mkdir(exist_ok=True)
    (absent / "tensorflow.py").write_text("raise ImportError")
    for number in (0, 1):
        yield (
            (
                "--strategy=data_parallel",
                f"--coordinator=127.0.0.1:{port}",
                "--num_processes=2",
                f"--process_id={number}",
            ),
            {"PYTHONPATH": str(absent)},
        )


def with_tensorflow(folder, port):
    """Flags and variables of each process."""
    workers = [f"127.0.0.1:{port + number}" for number in (0, 1)]
    for number in (0, 1):
        job = {
            "cluster": {"worker": workers},
            "task": {"type": "worker", "index": number},
        }
        yield ("--strategy=multi_worker",), {"TF_CONFIG": json.dumps(job)}


def test_killed_and_resumed_is_as_one_process(tmp_path):
    alone, both = tmp_path / "alone", tmp_path / "both"
    chief, victim = start(both)
    programs.wait_for_epochs(1, both, chief)
    victim.kill()
    _, err = chief.communicate(timeout=60)
    victim.communicate()
    assert chief.returncode == 1
    assert "start all of them again" in err.splitlines()[-1]
    assert not (both / "result.json").exists()

    processes = start(both)
    programs.run(
        "train.py", *OPTIONS, f"--workdir={alone}", cwd=tmp_path
    )  # meanwhile
    for process in processes:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    ours, theirs = programs.result(both), programs.result(alone)
    for name in ("accuracy", "validation_accuracy"):
        assert ours[name] == theirs[name]
    weights = read_weights(both / "stages" / "0-train.npz")
    for name, value in read_weights(alone / "stages" / "0-train.npz").items():
        np.testing.assert_allclose(weights[name], value, rtol=1e-3, atol=1e-4)
    assert "overall" not in out  # the first one alone reports
