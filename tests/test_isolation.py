"""One backend is enough: nothing imports the other one, or TensorFlow."""

import subprocess
import sys

import keras
import programs
import pytest

pytestmark = pytest.mark.slow

OTHERS = {
    "jax": ("tensorflow", "tensorflow_datasets", "keras_cv"),
    "tensorflow": ("jax", "jaxlib"),
}
ON_JAX = keras.backend.backend() == "jax"
WITHOUT_TF_DATA = """
import toy
from keras_lt.training import Stage
try:
    toy.loader("tf.data").train(Stage(name="a", epochs=1), 0)
except ImportError as error:
    assert "tensorflow" in str(error), error
else:
    raise AssertionError
"""
BLOCK = """
import sys

class Block:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            return None
        return self.finder.find_spec(name, path, target)

sys.meta_path = [Block(finder) for finder in sys.meta_path]
"""


def python(tmp_path, code, blocked):
    code = BLOCK.format(blocked=blocked) + code
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=programs.environment(
            PYTHONPATH=f"{programs.ROOT}:{programs.ROOT}/tests"
        ),
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_run_needs_only_the_active_backend(tmp_path):
    method = ("--method=wb", "--set=epochs=(2,2)", "--workdir=run")
    arguments = ["train.py", *method, *programs.MICRO]
    done = python(
        tmp_path,
        f"sys.argv = {arguments!r}\n"
        "import micro\n"
        "from keras_lt.cli import train\n"
        "train.main(sys.argv)\n" + WITHOUT_TF_DATA * ON_JAX,
        OTHERS[keras.backend.backend()],
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "result.json").exists()
