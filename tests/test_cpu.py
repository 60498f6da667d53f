import json
import os
import subprocess
import sys

import programs
import pytest

from keras_lt import cpu

FLAG = f"--{cpu.YNN}=-individual_convolution"
NAMES = ("KERAS_LT_CPU", cpu.ONEDNN, "XLA_FLAGS")


def tuned(code="keras_lt.tune_cpu()", **environment):
    """What the call returns in a new process, and what it leaves."""
    own = {k: v for k, v in os.environ.items() if k not in NAMES}
    code = (
        "import json, os, keras_lt\n"
        f"found = {code}\n"
        f"left = {{k: os.environ.get(k) for k in {NAMES[1:]}}}\n"
        "print(json.dumps([found, left]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=own | {"PYTHONPATH": str(programs.ROOT)} | environment,
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
@programs.once("jax")
def test_what_it_sets():
    found, left = tuned()
    assert found == left == {cpu.ONEDNN: "1", "XLA_FLAGS": FLAG}
    found, _ = tuned("keras_lt.tune_cpu(small_steps=True)")
    assert found == {cpu.ONEDNN: "0", "XLA_FLAGS": FLAG}


@pytest.mark.slow
@programs.once("jax")
def test_the_users_word_wins():
    assert tuned(KERAS_LT_CPU="off")[0] == {}
    assert tuned(TF_ENABLE_ONEDNN_OPTS="0")[1][cpu.ONEDNN] == "0"
    other = f"--{cpu.YNN}=individual_dot"
    assert tuned(XLA_FLAGS=other)[1]["XLA_FLAGS"] == other
    theirs = "--xla_cpu_enable_fast_math=false"
    _, left = tuned(XLA_FLAGS=theirs)
    assert left["XLA_FLAGS"] == f"{theirs} {FLAG}"


def test_nothing_is_set_after_the_start():
    before = dict(os.environ)
    assert cpu.tune_cpu() == {}
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("0.7.2", False),
        ("0.8.3", True),
        ("0.10.2", True),
        ("0.11.0", False),
        ("0.10.dev1", False),
        (None, False),
    ],
)
def test_an_option_is_set_only_where_it_was_tried(version, known, monkeypatch):
    def find(package):
        if version is None:
            raise cpu.importlib.metadata.PackageNotFoundError
        return version

    monkeypatch.setattr(cpu.importlib.metadata, "version", find)
    assert cpu._knows_ynn() == known


@pytest.mark.slow
@programs.once("jax")
def test_import_brings_nothing_heavy():
    heavy = {"keras", "jax", "tensorflow", "numpy", "sklearn", "matplotlib"}
    heavy |= {"keras_cv", "tensorflow_datasets"}
    code = f"sorted({heavy} & __import__('sys').modules.keys())"
    assert tuned(code)[0] == []


@pytest.mark.slow
@programs.once("jax")
@pytest.mark.parametrize("order", ["keras_lt, keras", "keras, keras_lt"])
def test_models_load_once_both_are_imported(order, tmp_path):
    import keras

    from keras_lt.layers import LWS

    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((2,)), LWS()]).save(path)
    code = f"import {order}; keras.saving.load_model({str(path)!r})"
    subprocess.run(
        [sys.executable, "-c", code],
        env=programs.environment(PYTHONPATH=str(programs.ROOT)),
        check=True,
    )
