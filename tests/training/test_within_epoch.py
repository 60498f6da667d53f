"""Runs that end within an epoch: by a signal, a kill, or a loss."""

import json
import os
import signal

import numpy as np
import programs
import pytest
from battery.small import Act, lines, recipe, train

from keras_lt import preemption
from keras_lt.training import Diverged, Preempted

KINDS = [
    ("numpy", 1),
    pytest.param(("device", 2), marks=[pytest.mark.slow, programs.once("jax")]),
]


def kill():
    raise InterruptedError


@pytest.fixture(scope="module", params=KINDS, ids=str)
def whole(request, tmp_path_factory):
    """Kind, steps of a program, and a run that nothing interrupts."""
    workdir = tmp_path_factory.mktemp("whole")
    outcome = train(workdir, *request.param, checkpoint_seconds=1e9)
    return *request.param, workdir, outcome


def assert_goes_on_equal(workdir, whole):
    kind, fused, expected, outcome = whole
    found = train(workdir, kind, fused)
    for mine, theirs in zip(
        found.model.get_weights(), outcome.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)
    assert lines(workdir) == lines(expected)
    assert found.records == outcome.records


@pytest.mark.parametrize(
    "stage", [pytest.param("one", marks=pytest.mark.slow), "two"]
)
def test_a_kill_within_an_epoch_changes_nothing(tmp_path, whole, stage):
    kind, fused, *_ = whole
    with pytest.raises(InterruptedError):
        train(tmp_path, kind, fused, act=Act(kill, 1, 6), stage=stage)
    progress = json.loads(
        str(np.load(tmp_path / "checkpoint.npz")["__progress__"])
    )
    assert progress["epoch"] == 1 and progress["step"] == 6 - fused
    assert_goes_on_equal(tmp_path, whole)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    tmp_path, whole, capsys
):
    kind, fused, *_ = whole
    with pytest.raises(InterruptedError):
        train(tmp_path, kind, fused, act=Act(kill, 0, 6), stage="one")
    path = tmp_path / "checkpoint.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert_goes_on_equal(tmp_path, whole)
    (said,) = capsys.readouterr().out.splitlines()
    assert "checkpoint.npz is no file of arrays" in said
    assert said.endswith("checkpoint-before.npz")


def test_a_signal_ends_at_the_next_step(tmp_path, whole):
    kind, fused, *_ = whole
    act = Act(lambda: os.kill(os.getpid(), signal.SIGTERM), 0, 4)
    with preemption.heeded(), pytest.raises(Preempted) as ended:
        train(tmp_path, kind, fused, act=act, checkpoint_seconds=1e9)
    assert ended.value.code == preemption.STATUS
    assert ended.value.line.startswith("SIGTERM: stopped; kept: ")
    assert "stage two, 0 epochs done, step 4)" in ended.value.line
    assert preemption.asked() is None
    assert_goes_on_equal(tmp_path, whole)


@pytest.mark.slow
def test_a_signal_in_the_last_step_ends_after_the_epoch(tmp_path, whole):
    kind, fused, *_ = whole
    act = Act(lambda: os.kill(os.getpid(), signal.SIGTERM), 1, 8)
    with preemption.heeded(), pytest.raises(Preempted, match="75"):
        train(tmp_path, kind, fused, act=act, checkpoint_seconds=1e9)
    assert_goes_on_equal(tmp_path, whole)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"])
def test_every_signal_is_heeded(name):
    number = getattr(signal, name)
    handler = signal.getsignal(number)
    with preemption.heeded(), preemption.at_step_boundaries():
        os.kill(os.getpid(), number)
        assert preemption.asked() == name
    with preemption.heeded(), pytest.raises(Preempted, match="75"):
        os.kill(os.getpid(), number)  # no step runs
    assert signal.getsignal(number) is handler
    assert preemption.asked() is None


def test_a_loss_that_is_no_number_stops(tmp_path):
    act = Act(
        lambda: act.model.trainable_variables[0].assign(
            np.full((64, 6), np.nan)
        ),
        *(1, 4),
    )
    with pytest.raises(Diverged) as error:
        train(tmp_path, "numpy", 1, act=act, stage="one")
    # The weights are bad after step 4, the loss of step 5.
    assert error.value.record() == {
        "stage": "one",
        "epoch": 1,
        "step": None,
        "rate": pytest.approx(0.05),
        "what": act.model.trainable_variables[0].path,
    }
    assert "checkpoint.npz (stage one, 1 epochs done, step 3)" in str(
        error.value
    )
    for line in lines(tmp_path):
        assert all(np.isfinite([line["loss"], line["accuracy"]]))


def test_a_rate_that_is_too_large(tmp_path):
    with pytest.raises(Diverged, match=r"epoch 1, step \d+: the loss is not"):
        train(tmp_path, "numpy", 1, recipe=recipe(1e30), checkpoint_seconds=9)
    assert not (tmp_path / "checkpoint.npz").exists()
    assert not (tmp_path / "stages").exists()


def test_half_the_rate_after_a_divergence(tmp_path):
    """As a recipe with half the rate, and recorded."""
    record = {"stage": "one", "epoch": 0, "step": 3, "rate": 0.1, "what": "a"}
    (tmp_path / "divergences.json").write_text(json.dumps([record]))
    train(tmp_path, "numpy", 1)
    rates = [line["learning_rate"] for line in lines(tmp_path)]
    # The second stage carries on with the optimizer of the first.
    assert rates == pytest.approx([0.05, 0.025, 0.025, 0.025])
