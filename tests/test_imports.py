"""Whatever is imported first, models find the classes that they hold."""

import subprocess
import sys

import programs
import pytest

pytestmark = pytest.mark.slow

# Keras is imported once, for copies of the process; test_cpu has both orders.
CODE = """
import os
import sys

import keras

for first in sys.argv[1:]:
    if not os.fork():
        exec(first)
        for name in ("SGD", "LWS", "LDAMLoss", "ShotAccuracy", "_CountExperts"):
            registered = keras.saving.get_registered_object("keras_lt>" + name)
            assert registered, (first, name)
        break
    _, status = os.wait()
    if status:
        sys.exit(first)
"""
FIRST = (
    "import keras_lt",
    "from keras_lt import models",
    "from keras_lt.layers import LWS",
    "import keras_lt.optimizers",
    "import keras_lt.runs.from_python",
)


@programs.once("jax")
def test_classes_are_registered(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CODE, *FIRST],
        cwd=tmp_path,
        env=programs.environment(PYTHONPATH=str(programs.ROOT)),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


@programs.once("jax")
def test_a_part_that_fails_says_why(tmp_path):
    """And the next import begins anew."""
    (tmp_path / "keras.py").write_text("raise ImportError('no Keras here')")
    code = (
        "for _ in range(2):\n"
        "    try:\n"
        "        import keras_lt.layers\n"
        "    except ImportError as error:\n"
        "        assert str(error) == 'no Keras here', error\n"
        "    else:\n"
        "        raise AssertionError\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=programs.environment(PYTHONPATH=f"{tmp_path}:{programs.ROOT}"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
