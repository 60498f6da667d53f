import time
import types

import keras
import pytest
import toy

from keras_lt.training import Clock, run
from keras_lt.training.clock import TimeFit

PARTS = {
    *("set_up", "compile", "input", "steps"),
    *("validation", "checkpoints", "evaluation"),
}


@pytest.fixture
def passes(monkeypatch):
    """Let time pass: by what is told, and a little at every look."""
    now = [0.0]

    def look(seconds=0.001):
        now[0] += seconds
        return now[0]

    monkeypatch.setattr(time, "monotonic", look)
    return look


def test_a_clock_adds_up(passes):
    seconds = {"steps": 1.0}
    clock = Clock(seconds)
    clock.add("steps", 2.0)
    with pytest.raises(KeyError), clock.count("input"):
        passes(5.0)
        raise KeyError
    assert seconds == {"steps": 3.0, "input": pytest.approx(5.0, abs=0.01)}


def events(monkeypatch, *script):
    """Run the callback through (seconds passed, event) pairs."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    feed = types.SimpleNamespace(waited=0.0)
    clock = Clock({})
    callback = TimeFit(clock, feed)
    for passed, event, *waited in script:
        now[0] += passed
        feed.waited += sum(waited)
        getattr(callback, f"on_{event}")(0)
    return {part: round(value, 6) for part, value in clock.seconds.items()}


def call(seconds, waited=0.0):
    return [
        (0.0, "train_batch_begin"),
        (seconds, "train_batch_end", waited),
    ]


def test_where_an_epoch_goes(monkeypatch):
    found = events(
        monkeypatch,
        (0.75, "epoch_begin"),
        *call(9.0),  # compiles
        *call(1.0, 0.25),
        *call(1.0, 0.25),
        *call(6.0),  # compiles another shape
        *call(1.5),
        (0.0, "test_begin"),
        (2.0, "test_end"),
        (0.5, "epoch_end"),
    )
    usual = 1.25
    compiled = 9.0 - usual + 6.0 - usual
    assert found == {
        "set_up": 0.75,
        "input": 0.5,
        "validation": 2.0,
        "compile": compiled,
        "steps": 21.0 - 2.5 - compiled,
    }


def test_one_call_an_epoch(monkeypatch):
    found = events(
        monkeypatch,
        (0.0, "epoch_begin"),
        *call(9.0),
        (0.0, "epoch_end"),
        (0.0, "epoch_begin"),
        *call(1.0),
        (0.0, "epoch_end"),
    )
    assert found["compile"] == 8.0
    assert found["steps"] == 2.0


@pytest.mark.parametrize("kind", ["numpy", "tf.data", "device"])
def test_the_parts_of_a_run(kind, tmp_path, passes):
    if kind == "tf.data":
        pytest.importorskip("tensorflow")
    start = passes()
    outcome = run(
        toy.dense_recipe(),
        toy.loader(kind, validation=toy.test_images()),
        workdir=tmp_path,
        on_stage_end=lambda stage, model: {"seconds": passes(0.1)},
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
        verbose=False,
    )
    whole = passes() - start
    assert set(outcome.spent) == PARTS
    assert outcome.spent["compile"] >= 0  # no time passes within a step
    assert all(outcome.spent[part] > 0 for part in PARTS - {"compile"})
    two_stages = pytest.approx(0.2, abs=0.02)
    assert outcome.spent["evaluation"] == two_stages
    assert 0.6 * whole < sum(outcome.spent.values()) <= whole


def test_time_before_a_kill_counts(tmp_path, passes):
    def spent(*callbacks):
        return run(
            toy.dense_recipe(),
            toy.loader(),
            workdir=tmp_path,
            on_stage_end=lambda stage, model: {"seconds": passes(9.0)},
            callbacks=lambda stage: callbacks if stage.name == "two" else (),
            checkpoint_seconds=0,
            verbose=False,
        ).spent

    with pytest.raises(InterruptedError):
        spent(toy.KillIn(1))
    both_stages = pytest.approx(18.0, abs=0.1)
    assert spent()["evaluation"] == both_stages
