"""Each says which private name of Keras has changed."""

import random
import subprocess
import sys
from importlib.util import find_spec

import keras
import numpy as np
import programs
import pytest

from keras_lt.keras_internals import set_random_seed

CODE = """
import sys
import keras
from keras_lt.keras_internals import set_random_seed, without_tensorflow

set_random_seed(0)
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
try:
    with without_tensorflow():
        model.save("model.keras")
        raise KeyError
except KeyError:
    assert "tensorflow" not in sys.modules
model.save("model.keras")
assert "tensorflow" in sys.modules, "Keras spares it by itself now"
"""


def draws(seed, function):
    function(seed)
    dropped = keras.layers.Dropout(0.5)(np.ones((1, 20)), training=True)
    return [
        random.random(),
        *np.random.random(3),
        *keras.ops.convert_to_numpy(keras.initializers.RandomNormal()((3,))),
        *keras.ops.convert_to_numpy(keras.random.normal((3,))),
        *keras.ops.convert_to_numpy(dropped)[0],
    ]


def test_seeds_are_those_of_keras():
    for seed in (0, 7):
        ours = draws(seed, set_random_seed)
        assert ours == draws(seed, keras.utils.set_random_seed)
    assert ours != draws(0, set_random_seed)


def test_tensorflow_gets_the_seed_where_it_is_loaded():
    tf = pytest.importorskip("tensorflow")
    set_random_seed(3)
    first = float(tf.random.uniform(()))
    set_random_seed(3)
    assert float(tf.random.uniform(())) == first


@programs.once("jax")
@pytest.mark.skipif(not find_spec("tensorflow"), reason="is not installed")
def test_tensorflow_is_not_imported_on_jax(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=tmp_path,
        env=programs.environment(PYTHONPATH=str(programs.ROOT)),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
