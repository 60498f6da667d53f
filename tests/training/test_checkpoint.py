"""What is kept of a run, without training one."""

import json

import keras
import numpy as np
import pytest

from keras_lt import array_files, atomic
from keras_lt.optimizers import SGD
from keras_lt.training.checkpoint import load_variables, save_variables
from keras_lt.training.progress import Progress
from keras_lt.training.saving import SaveProgress
from keras_lt.training.store import Store

STAGES = ["first", "second"]
STORE = "keras_lt.training.store"
NOTHING = Progress(0, 0, 0.0, {}, {})


def model():
    """Two equal networks in one: paths of their variables are the same."""
    inputs = keras.Input((2,))
    x = inputs
    for name in ("one", "two"):
        inner = keras.Input((2,))
        outer = keras.layers.Dense(2, name="in")(inner)
        x = keras.Model(inner, outer, name=name)(x)
    x = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(x))
    made = keras.Model(inputs, x)
    made.compile(SGD(0.5, momentum=0.9), "mse")
    made.optimizer.build(made.trainable_variables)
    return made


def variables(model):
    return [*model.variables, *model.optimizer.variables]


def fill(model, first):
    """Give each number in a model a value of its own; return them."""
    values = []
    for variable in variables(model):
        shape = tuple(variable.shape)
        numbers = first + np.arange(np.prod(shape, dtype=int))
        variable.assign(numbers.reshape(shape))
        first += numbers.size
        values.append(keras.ops.convert_to_numpy(variable).copy())
    return values


def test_all_that_a_model_holds_comes_back(tmp_path):
    source = model()
    values = fill(source, 1)
    paths = [variable.path for variable in variables(source)]
    assert len(set(paths)) < len(paths)
    save_variables(tmp_path / "a.npz", source, NOTHING)
    target = model()
    fill(target, 1000)
    load_variables(tmp_path / "a.npz", target)
    assert len(values) == len(variables(target))
    for value, variable in zip(values, variables(target), strict=True):
        np.testing.assert_array_equal(value, variable, variable.path)


def test_a_store_remembers_how_far_it_has_come(tmp_path):
    state = {
        "index": 1,
        "epoch": 3,
        "seconds": 2.5,
        "records": {"first": {"accuracy": 0.5}},
        "spent": {"steps": 1.5},
    }
    store = Store(tmp_path, STAGES)
    for name, value in state.items():
        setattr(store, name, value)
    store.save(model())
    again = Store(tmp_path, STAGES)
    assert {name: getattr(again, name) for name in state} == state
    assert again.clock.seconds == {"steps": 1.5}


def killed(*arguments, **options):
    raise InterruptedError


def test_a_stage_is_finished_once_its_weights_are_written(
    tmp_path, monkeypatch
):
    made = model()
    monkeypatch.setattr(f"{STORE}.write_weights", killed)
    with pytest.raises(InterruptedError):
        Store(tmp_path, STAGES).finish_stage(made, None)
    monkeypatch.undo()
    store = Store(tmp_path, STAGES)
    assert (store.index, store.records) == (0, {})
    store.epoch = 4
    store.finish_stage(made, "done")
    store = Store(tmp_path, STAGES)
    assert (store.index, store.epoch) == (1, 0)
    assert store.records == {"first": "done"}
    assert store.weights(0).exists()


def test_a_kill_while_writing_leaves_the_file_before(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    array_files.write_arrays(path, {"a": np.array(1)})
    monkeypatch.setattr(atomic.os, "fsync", killed)
    with pytest.raises(InterruptedError):
        array_files.write_arrays(path, {"a": np.array(2)})
    assert array_files.read_arrays(path) == {"a": 1}


def test_half_a_checkpoint_is_refused_by_name(tmp_path):
    store = Store(tmp_path, STAGES)
    store.save(model())
    path = store.files.checkpoint
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="checkpoint.npz .*cut off"):
        Store(tmp_path, STAGES)


def train(store, every_seconds, ends, monkeypatch):
    """Epochs that end at given seconds; returns when checkpoints were made."""
    now, saved = [100.0], []
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    save = store.save
    monkeypatch.setattr(
        store,
        "save",
        lambda *of: (saved.append(now[0] - 100), save(*of)),
    )
    callback = SaveProgress(store, every_seconds)
    callback.set_model(model())
    callback.on_train_begin()
    for epoch, end in enumerate(ends):
        callback.on_epoch_begin(epoch)
        now[0] = 100 + end
        callback.on_epoch_end(epoch, {"loss": 1 / (epoch + 1)})
    return saved


def test_a_checkpoint_now_and_then_and_a_line_an_epoch(tmp_path, monkeypatch):
    store = Store(tmp_path, STAGES)
    store.seconds = 7.0  # before a kill
    ends = [4, 9, 12, 13, 21, 22, 30]
    assert train(store, 10, ends, monkeypatch) == [12, 22]
    assert (store.seconds, store.epoch) == (37.0, 7)
    lines = store.files.metrics.read_text().splitlines()
    for epoch, (line, end) in enumerate(zip(lines, ends, strict=True)):
        assert json.loads(line) == {
            "stage": "first",
            "epoch": epoch,
            "learning_rate": 0.5,
            "loss": 1 / (epoch + 1),
            "seconds": 7.0 + end,
        }
    again = Store(tmp_path, STAGES)  # what came after is trained again
    assert (again.epoch, again.seconds) == (6, 29.0)
    assert len(again.files.metrics.read_text().splitlines()) == 6


def test_every_epoch_is_saved_if_wanted(tmp_path, monkeypatch):
    store = Store(tmp_path, STAGES)
    assert train(store, 0, [1, 1, 2], monkeypatch) == [1, 1, 2]


def test_one_of_several_processes_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{STORE}.is_chief", lambda: False)
    store = Store(tmp_path / "run", STAGES)
    assert not train(store, 0, [1, 2], monkeypatch)
    store.finish_stage(model(), "done")
    assert (store.index, store.records) == (1, {"first": "done"})
    assert not (tmp_path / "run").exists()
