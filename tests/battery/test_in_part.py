"""A part of the battery; `python -m tests.battery` runs all of it."""

import programs
import pytest
from battery import damage, kills, small, soak


@pytest.mark.slow
@programs.once("jax")  # test_within_epoch has both
def test_kills(tmp_path):
    number, wrong = kills.kills(tmp_path, every=60)
    assert number >= 3 and not wrong


@pytest.mark.slow
@programs.once("jax")
def test_full_disks(tmp_path):
    number, wrong = kills.full_disks(tmp_path, every=12)
    assert number >= 3 and not wrong


@pytest.mark.slow
@programs.once("jax")  # test_within_epoch has both
def test_signals(tmp_path):
    places = [("SIGUSR1", 0, 2), ("SIGINT", 1, 8)]
    number, wrong = kills.signals(
        tmp_path, lambda to, act: small.train(to, act=act), places
    )
    assert number == 2 and not wrong


@pytest.mark.slow
@programs.once("tensorflow")
def test_damaged_files(tmp_path):
    number, wrong = damage.damaged(tmp_path, 3)
    assert number > 100 and not wrong


@programs.once("jax")
def test_hostile_checkpoints(tmp_path):
    number, wrong = damage.hostile_progress(tmp_path)
    assert number > 50 and not wrong


@pytest.mark.slow
def test_soak(tmp_path):
    growth, handles, threads = soak.soak(tmp_path, 2000)
    assert handles <= 0 and threads <= 0
    assert growth < 2000  # of so few steps; the whole battery is stricter
