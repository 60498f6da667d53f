"""What TensorFlow logs at its start, on a package of that name."""

import os
import subprocess
import sys

import programs
import pytest

pytestmark = programs.once("jax")

CODE = """
from keras_lt.cli.quiet import quiet_tensorflow

quiet_tensorflow()
quiet_tensorflow()
import tensorflow

assert tensorflow.STARTED
raise SystemExit
"""
LOUD = "import os; os.write(2, b'I0000 no cuda'); STARTED = True\n"
BROKEN = "import os; os.write(2, b'no AVX'); raise ImportError('no start')\n"


def heard(folder, source, **level):
    (folder / "tensorflow.py").write_text(source)
    variables = {
        k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"
    }
    path = f"{folder}:{programs.ROOT}"
    return subprocess.run(
        [sys.executable, "-c", CODE],
        env={**variables, "PYTHONPATH": path, **level},
        capture_output=True,
        text=True,
    ).stderr


@pytest.mark.slow
def test_it_starts_in_silence_unless_it_fails(tmp_path):
    assert heard(tmp_path, LOUD) == ""
    assert heard(tmp_path, LOUD, TF_CPP_MIN_LOG_LEVEL="0") == "I0000 no cuda"
    found = heard(tmp_path, BROKEN)
    assert found.startswith("no AVX") and found.endswith("no start\n")
