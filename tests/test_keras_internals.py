"""Each says which private name of Keras is gone, or means something else.

A newer Keras may be allowed in `pyproject.toml` when all of them pass with it,
on both backends.
"""

import ast
import inspect
import random
import subprocess
import sys
import threading
from importlib.util import find_spec

import keras
import numpy as np
import programs
import pytest
import rules
import toy

from keras_lt import keras_internals
from keras_lt.keras_internals import (
    OwnLosses,
    build_from,
    flatten_layers,
    jax_state,
    output_operation,
    own_trainable_variables,
    parts,
    processes,
    replace_methods,
    restore_methods,
    scale_rate,
    set_random_seed,
    strategy_of,
    variable_index,
)
from keras_lt.optimizers import SGD
from keras_lt.schedules import EpochRates

ON_JAX = keras.backend.backend() == "jax"
ONLY_JAX, ONLY_TENSORFLOW = programs.once("jax"), programs.once("tensorflow")

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


@pytest.mark.slow
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


def small():
    """A model in a model, not built further than its layers are."""
    inner = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3, name="first")], name="inner"
    )
    images = keras.Input((2,))
    outputs = keras.layers.Dense(1, name="last")(inner(images))
    return keras.Model(images, outputs)


def owners():
    """Private names by what has them in Keras."""
    optimizer = keras.optimizers.SGD()
    layer, model = keras.layers.Dense(1), small()
    found = {
        "_flatten_layers": layer,
        "_keras_history": keras.Input((1,)),
        "_layers": layer,
        "_losses": layer,
        "_tracker": layer,
        "_trainable_variables": layer,
        "_get_variable_index": optimizer,
        "_learning_rate": optimizer,
        "_symbolic_build": model,
        "_make_function": model,
        "_available": find_tensorflow(),
    }
    if ON_JAX:
        shared = keras.distribution.DataParallel(auto_shard_dataset=False)
        found |= {"_num_processes": shared, "_process_id": shared}
        return found | {"_get_jax_state": model}
    return found | {
        "_maybe_symbolic_build": model,
        "_distribute_strategy": model,
    }


def find_tensorflow():
    from keras.src.utils.module_utils import tensorflow

    return tensorflow


OLDER = {"_num_processes": "_num_process"}  # until Keras 3.14


@pytest.mark.parametrize("name", sorted(owners()))
def test_keras_has_the_name(name):
    owner = owners()[name]
    assert hasattr(owner, name) or hasattr(owner, OLDER.get(name, name)), (
        f"Keras {keras.__version__}: {type(owner).__name__} has no {name} any "
        "more; change what uses it in keras_lt/keras_internals.py"
    )


def test_every_private_name_has_a_guard():
    """Of both backends together."""
    source = inspect.getsource(keras_internals)
    used = {name.rpartition(".")[-1] for name in rules.private_names(source)}
    used |= {name for name in keras_internals.REPLACED if name[0] == "_"}
    used |= rules.own_private_names(source)
    used.discard("src")
    tree = ast.parse(inspect.getsource(owners))
    guarded = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and str(node.value)[0] == "_"
    }
    ours = {"tensorflow"}  # imported from `keras.src`, see "_available"
    assert used - {*OLDER.values()} - ours == guarded


@ONLY_JAX
def test_processes_are_those_of_jax(monkeypatch):
    import jax

    monkeypatch.setattr(jax, "process_index", lambda: 1)
    monkeypatch.setattr(jax, "process_count", lambda: 3)
    shared = keras.distribution.DataParallel(auto_shard_dataset=False)
    assert processes(shared) == (1, 3)


def test_flatten_layers_finds_each_layer_once():
    model = small()
    inner = model.layers[1]
    found = flatten_layers(model)
    assert found[0] is model
    for layer in (*model.layers, *inner.layers):
        assert [other is layer for other in found].count(True) == 1


def test_parts_are_attributes():
    class Layer(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.one, self.others = small(), [keras.layers.ReLU()]

    layer = Layer()
    assert parts(layer) == [layer.one, *layer.others]


def test_own_variables_remain_while_frozen():
    model = small()
    first = model.layers[1].get_layer("first")
    model.trainable = False
    assert first.trainable_variables == []
    assert own_trainable_variables(first) == [first.kernel, first.bias]
    assert own_trainable_variables(model) == []  # they are its parts'


def test_variable_index():
    model, optimizer = small(), SGD(0.1)
    optimizer.build(model.trainable_variables)
    found = [variable_index(optimizer, v) for v in model.trainable_variables]
    assert found == [0, 1, 2, 3]


def rates(optimizer):
    """Its rates in the steps 0 and 1."""
    found = []
    for step in (0, 1):
        optimizer.iterations.assign(step)
        found.append(float(np.array(optimizer.learning_rate)))
    return found


def test_half_the_rate():
    for rate in (0.4, EpochRates([0.4, 0.2], 1)):
        optimizer = SGD(rate)
        before = rates(optimizer)
        scale_rate(optimizer, 1.0)
        assert rates(optimizer) == before
        scale_rate(optimizer, 0.5)
        scale_rate(optimizer, 0.5)
        halved = [value / 4 for value in before]
        assert rates(optimizer) == pytest.approx(halved)
        config = keras.saving.serialize_keras_object(optimizer)
        again = keras.saving.deserialize_keras_object(config)
        assert rates(again) == pytest.approx(halved)


def test_building_from_shapes():
    class Symbolic(keras.layers.Layer):
        def build(self, shape):
            self.weight = self.add_weight(shape[1:])

        def call(self, x):
            with pytest.raises((NotImplementedError, TypeError)):
                keras.ops.convert_to_numpy(x)
            return x * self.weight

    model = keras.Sequential([Symbolic()])
    model.compile(SGD(0.1, momentum=0.9), "mse", metrics=["mae"])
    batch = keras.KerasTensor((4, 2)), keras.KerasTensor((4, 2))
    build_from(model, batch)
    assert model.layers[0].weight.shape == (2,)
    assert model.optimizer.built and model.metrics[-1].built


@pytest.mark.skipif(not ON_JAX, reason="of JAX")
def test_the_state_of_a_step():
    model = small()
    model.compile(SGD(0.1, momentum=0.9), "mse", metrics=["mae"])
    build_from(model, (np.zeros((4, 2)), np.zeros((4, 1))))
    expected = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    for values, variables in zip(jax_state(model), expected, strict=True):
        assert len(values) == len(variables)
        for value, variable in zip(values, variables, strict=True):
            np.testing.assert_array_equal(value, variable.value)


@ONLY_TENSORFLOW
def test_strategy_of_a_model():
    assert strategy_of(small()) is None
    with toy.two_devices():
        model = small()
    assert strategy_of(model) is toy.mirrored()


@ONLY_TENSORFLOW
def test_replaced_methods_are_called_by_fit():
    with toy.two_devices():
        model = small()
        model.compile("sgd", "mse", jit_compile=False)
    calls = []

    def build(iterator=None, data_batch=None):
        calls.append("build")

    def make_function(step):
        calls.append(step.__name__)

        def function(iterator):
            calls.append(len(next(iterator)))
            return {"ours": 7.0}

        return function

    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    fit = {"batch_size": 4, "verbose": 0}
    replace_methods(model, build=build, make_function=make_function)
    history = model.fit(x, y, **fit).history
    assert history["ours"] == [7.0]
    assert calls == ["build", "train_step", 2]
    restore_methods(model)
    model.make_train_function(force=True)
    assert "ours" not in model.fit(x, y, **fit).history
    assert len(calls) == 3


def test_restored_methods_are_those_of_the_class():
    model = small()
    for name in keras_internals.REPLACED:
        setattr(model, name, None)
    restore_methods(model)
    assert model.train_step is not None
    assert not set(keras_internals.REPLACED) & set(vars(model))


def test_losses_of_each_thread():
    class Adds(OwnLosses, keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.sum(x))
            return x

    layer = Adds()
    layer(np.ones((1, 2)))
    found = []

    def elsewhere():
        found.extend(layer.losses)
        layer(np.ones((1, 5)))
        found.extend(layer.losses)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert [float(loss) for loss in found] == [5.0]
    assert [float(loss) for loss in layer.losses] == [2.0]


def test_the_layer_of_an_output():
    images = keras.Input((2,))
    dense = keras.layers.Dense(3)
    inner = keras.Model(images, dense(images))
    outer = keras.Sequential([keras.Input((2,)), inner])
    assert output_operation(inner) is output_operation(outer) is dense
    assert output_operation(keras.Model(images, [dense(images)] * 2)) is None
    assert output_operation(keras.Sequential([dense])) is None
