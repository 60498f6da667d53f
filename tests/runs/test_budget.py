"""What follows from minutes, images and the speed of a device."""

import pytest
from hypothesis import given
from same_examples import st

from keras_lt.models import BACKBONES
from keras_lt.models.backbones import encoder
from keras_lt.models.macs import count_macs
from keras_lt.runs import budget, plan_words
from keras_lt.runs.budget import Size, Speed, Work

SECONDS = st.floats(1e-5, 1.0)
SPEEDS = st.builds(Speed, SECONDS, SECONDS, st.floats(0, 60))
WORKS = st.builds(
    Work,
    st.integers(1, 10**6),
    st.integers(0, 10**5),
    st.sampled_from(["auto", "ce", "ride", "ssd"]),
)
MINUTES = st.floats(0.1, 10**4)


def scaled(speed):
    def of(size):
        times = size.macs / budget.LADDER[0].macs
        return Speed(speed.step * times, speed.read, speed.program)

    return of


def both(work, speed, minutes):
    size = budget.largest(budget.LADDER, work, minutes, scaled(speed))
    epochs = budget.epochs_within(work, scaled(speed)(size), minutes, 100)
    return size, epochs


@given(WORKS, SPEEDS, MINUTES, st.floats(1, 100))
def test_more_minutes_give_no_smaller_network_and_no_fewer_epochs(
    work, speed, minutes, times
):
    size, epochs = both(work, speed, minutes)
    more, longer = both(work, speed, minutes * times)
    assert more >= size
    if more == size:
        assert longer >= epochs
    else:
        assert longer >= budget.ENOUGH


@given(WORKS, SPEEDS, MINUTES)
def test_a_run_ends_in_its_time_or_has_one_epoch(work, speed, minutes):
    size, epochs = both(work, speed, minutes)
    seconds = epochs * budget.epoch_seconds(work, scaled(speed)(size))
    assert 1 <= epochs <= 100
    assert epochs == 1 or seconds <= 60 * minutes


@given(st.integers(1, 10**7))
def test_a_batch_is_a_power_of_two(images):
    size = budget.batch_size(images)
    assert 16 <= size <= 128 and size & (size - 1) == 0
    assert budget.batch_size(2 * images) >= size


def test_sizes_to_choose_from():
    assert budget.candidates() == budget.LADDER
    assert [s.pixels for s in budget.candidates("resnet8")] == [32, 64]
    (one,) = budget.candidates("resnet18", 48)
    assert (one.backbone, one.pixels) == ("resnet18", 48)
    assert [s.pixels for s in budget.candidates("resnet18")] == [224]
    assert {s.pixels for s in budget.candidates(pixels=96)} == {96}


@pytest.mark.parametrize("size", budget.LADDER[:4])
def test_operations_are_those_of_the_networks(size):
    assert size.backbone in BACKBONES
    side = size.pixels
    macs = count_macs(encoder(size.backbone, (side, side, 3))) / 1e6
    assert size.macs == pytest.approx(macs, rel=0.02)


def test_rates_follow_the_batch_and_what_is_given_stays():
    plan = Size(1, "resnet8", 32), 32
    published = {"backbone": "resnet50", "batch_size": 64, "lr": 0.1}
    published |= {"head_lr": 0.02, "scales_batch_size": None, "l2": 1e-4}
    assert budget.settings(*plan, published, {}) == {
        **{"backbone": "resnet8", "batch_size": 32, "lr": 0.05},
        "head_lr": 0.01,
    }
    found = budget.settings(*plan, published, {"batch_size": 128, "lr": 1.0})
    assert found == {"backbone": "resnet8", "head_lr": 0.04}


def test_methods_that_get_few_of_their_epochs():
    assert plan_words.warning("ce", 1, 100, 2) is None
    assert plan_words.warning("ride", 60, 105, 50) is None
    short = plan_words.warning("ride", 12, 105, 50)
    assert "ride may not help here, as it has 12 of the 105 epochs" in short
    assert "times" not in short and "\n" not in short
    mild = plan_words.warning("wb", 100, 100, 7)
    assert "as the largest class has 7 times the smallest: " in mild
