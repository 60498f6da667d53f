"""Run the programs as their users do."""

import contextlib
import importlib
import io
import json
import os
import pathlib
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from keras_lt.export.answer import load

ROOT = pathlib.Path(__file__).parents[1]
MODULES = {  # behind the programs of experiments/, and a command
    "train.py": "keras_lt.cli.train",
    "evaluate.py": "keras_lt.cli.evaluate",
    "export.py": "keras_lt.cli.export",
    "predict.py": "keras_lt.cli.predict",
    "inspect_data.py": "keras_lt.cli.inspect",
    "pack.py": "keras_lt.cli.pack",
    "report": "keras_lt.cli.report",
    "demo": "keras_lt.cli.demo",
    "import": "keras_lt.cli.importing",
    "reproduce.py": "reproduction.command",
    "benchmark.py": "benchmarks.command",
}
TRAIN = ROOT / "tests" / "train_micro.py"
# 7 equal batches of the 287 digits.
MICRO = (
    *("--set=backbone=micro", "--set=width=4", "--set=batch_size=41"),
    "--noplots",
)
TINY = ("--method=ce", "--set=epochs=(2,)", *MICRO)


def once(backend):
    """Mark what says nothing of a backend: it is tested on this one."""
    return pytest.mark.skipif(
        keras.backend.backend() != backend, reason=f"tested on {backend}"
    )


def environment(**more):
    return {
        **os.environ,
        "XLA_FLAGS": "--xla_cpu_use_fusion_emitters=false",  # one device
        "KERAS_BACKEND": keras.backend.backend(),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **more,
    }


def start(*arguments, cwd, **variables):
    """Start `train.py` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, str(TRAIN), *map(str, arguments)],
        cwd=cwd,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_epochs(number, folder, process):
    """Wait until a process has trained so many epochs of a folder's run."""
    path = folder / "metrics.jsonl"
    while not path.exists() or path.read_text().count("\n") < number:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)


def run(program, *arguments, cwd, status=0):
    """Run in this process to the end; return standard output and error."""
    module = importlib.import_module(MODULES[program])
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            module.main([program, *map(str, arguments)])
        except SystemExit as exit:
            code = exit.code
        finally:
            keras.config.set_dtype_policy("float32")
            keras.distribution.set_distribution(None)
    assert code == status, err.getvalue()
    return out.getvalue(), err.getvalue()


def write_photos(folder):
    """Three classes of coloured noise, 30, 12 and 6 files."""
    from PIL import Image

    random = np.random.default_rng(0)
    for name, count, color in (("ant", 30, 0), ("bee", 12, 1), ("cat", 6, 2)):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = random.integers(0, 128, (20, 24, 3), "uint8")
            pixels[..., color] += 127
            Image.fromarray(pixels).save(folder / name / f"{i}.jpg")


def ask_here(monkeypatch):
    """Let what is exported be asked in this process, which has TensorFlow.

    `test_export` asks where Keras cannot be imported.
    """
    monkeypatch.setattr(
        "keras_lt.export.artefact._answers",
        lambda format, written, images, folder: load(written)(images),
    )


def result(folder):
    """Content of a run's `result.json`."""
    return json.loads((folder / "result.json").read_text())
