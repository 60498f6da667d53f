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
    arguments = ["train.py", *method, *programs.SMALL]
    done = python(
        tmp_path,
        f"sys.argv = {arguments!r}\n"
        "from keras_lt.cli import train\n"
        "train.main(sys.argv)\n",
        OTHERS[keras.backend.backend()],
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "result.json").exists()


def test_import_brings_nothing_heavy(tmp_path):
    heavy = ["sklearn", "matplotlib", "keras_cv", "tensorflow_datasets"]
    heavy += OTHERS[keras.backend.backend()]
    done = python(
        tmp_path,
        "import keras\n"
        "before = set(sys.modules)\n"
        "import keras_lt\n"
        f"new = (set(sys.modules) - before) & set({heavy!r})\n"
        "assert not new, new\n",
        (),
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="tf.data needs TensorFlow"
)
def test_tf_data_without_tensorflow_is_a_clear_error(tmp_path):
    done = python(
        tmp_path,
        "import toy\n"
        "from keras_lt.training import Stage\n"
        "loader = toy.loader('tf.data')\n"
        "loader.train(Stage(name='a', epochs=1), 0)\n",
        ("tensorflow",),
    )
    assert done.returncode == 1
    assert "tensorflow" in done.stderr.splitlines()[-1]
