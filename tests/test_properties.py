"""What holds for any numbers, drawn at random but always the same."""

import numpy as np
import pytest

from keras_lt.data.sources.long_tail import (
    PROFILES,
    exponential_counts,
    long_tail_indices,
    step_counts,
)
from keras_lt.schedules import (
    EpochRates,
    cosine_rates,
    step_rates,
    warmup_cosine_rates,
)
from keras_lt.stats import frequency_ranks, shot_groups


@pytest.fixture(params=range(20))
def random(request):
    return np.random.default_rng(request.param)


def test_every_class_is_in_the_shot_group_of_its_count(random):
    counts = random.integers(0, 140, random.integers(1, 60))
    counts[random.integers(len(counts))] = random.choice([19, 20, 100, 101])
    groups = shot_groups(counts)
    members = np.concatenate(groups)
    assert sorted(members) == [*range(len(counts))]  # each in one of them
    for name, low, high in (
        ("many", 101, np.inf),
        ("medium", 20, 100),
        ("few", 0, 19),
    ):
        ids = getattr(groups, name)
        assert (np.diff(ids) > 0).all()
        assert ((counts[ids] >= low) & (counts[ids] <= high)).all()
    # Another order of the classes is another name for each.
    order = random.permutation(len(counts))
    for ours, theirs in zip(groups, shot_groups(counts[order]), strict=True):
        assert sorted(order[theirs]) == ours.tolist()
    ranks = frequency_ranks(counts)
    assert sorted(ranks) == [*range(len(counts))]
    assert (np.diff(counts[np.argsort(ranks)]) <= 0).all()


def test_counts_fall_from_the_largest_to_the_smallest(random):
    classes, ratio = random.integers(2, 300), random.uniform(1, 500)
    largest = int(random.integers(500, 5000))
    for profile in PROFILES.values():
        counts = profile(classes, largest, ratio)
        assert len(counts) == classes
        assert (np.diff(counts) <= 0).all()
        assert counts[0] == largest
        assert counts[-1] == int(largest / ratio)
    half = classes // 2
    step = step_counts(classes, largest, ratio)
    assert sum(step) == half * largest + (classes - half) * step[-1]
    # A geometric series, of which each class loses less than an image.
    share = ratio ** (-1 / (classes - 1))
    series = largest * (1 - share**classes) / (1 - share)
    total = sum(exponential_counts(classes, largest, ratio))
    assert series - classes < total <= series + 1e-6


@pytest.mark.parametrize("ratio", [1, 10, 20, 50, 100, 200, 256])
def test_the_ends_of_published_ratios_are_exact(ratio):
    for smallest in range(1, 60):
        counts = exponential_counts(10, smallest * ratio, ratio)
        assert (counts[0], counts[-1]) == (smallest * ratio, smallest)


def test_a_long_tail_of_indices_has_the_counts(random):
    classes = int(random.integers(2, 9))
    sizes = random.integers(40, 60, classes)
    labels = random.permutation(np.repeat(np.arange(classes), sizes))
    counts = [int(random.integers(1, size + 1)) for size in sizes]
    kept = int(random.integers(0, 30))
    for subset in ("ldam", "first"):
        train, validation = long_tail_indices(
            labels, counts, subset=subset, validation_per_class=kept
        )
        found = np.bincount(labels[train], minlength=classes)
        assert found.tolist() == np.minimum(counts, sizes - kept).tolist()
        held = np.bincount(labels[validation], minlength=classes)
        assert held.tolist() == [kept] * classes
        every = [*train, *validation]
        assert len(set(every)) == len(every)


def test_half_a_cosine_falls_from_its_peak(random):
    epochs, peak = int(random.integers(3, 300)), random.uniform(0.01, 2)
    after, before = (cosine_rates(peak, epochs, shift=s) for s in (0, 1))
    assert len(after) == len(before) == epochs
    assert after[0] == pytest.approx(peak)
    assert before[-1] == pytest.approx(0, abs=1e-9)
    assert before[:-1] == pytest.approx(after[1:])  # one epoch earlier
    assert (np.diff(after) < 0).all() and after[-1] > 0
    # Symmetric about half of the peak.
    assert np.add(after[1:], after[:0:-1]) == pytest.approx(peak)
    warmup = int(random.integers(1, epochs))
    warm = cosine_rates(peak, epochs, warmup_epochs=warmup)
    assert warm[warmup - 1 :] == after[warmup - 1 :]
    ramp = np.arange(1, warmup + 1) / warmup
    assert warm[:warmup] == pytest.approx(ramp * after[:warmup])


def test_a_cosine_after_the_warm_up_meets_it_at_the_peak(random):
    epochs, peak = int(random.integers(3, 300)), random.uniform(0.01, 2)
    warmup = int(random.integers(1, epochs))
    rates = warmup_cosine_rates(peak, epochs, warmup_epochs=warmup)
    assert len(rates) == epochs and rates[-1] > 0
    assert np.argmax(rates) == warmup - 1
    assert max(rates) == pytest.approx(peak)
    assert np.diff(rates[:warmup]) == pytest.approx(peak / warmup)
    assert (np.diff(rates[warmup - 1 :]) < 0).all()


def test_steps_drop_at_their_milestones(random):
    epochs, peak = int(random.integers(5, 300)), random.uniform(0.01, 2)
    milestones = random.choice(np.arange(1, epochs), 3, replace=False)
    factor = random.uniform(0.05, 0.9)
    rates = step_rates(peak, epochs, milestones=milestones, factor=factor)
    assert len(rates) == epochs and rates[0] == peak
    assert rates[-1] == pytest.approx(peak * factor**3)
    changes = np.divide(rates[1:], rates[:-1])
    for epoch, change in enumerate(changes, 1):
        drop = factor if epoch in milestones else 1
        assert change == pytest.approx(drop)


def test_a_step_has_the_rate_of_its_epoch():
    for seed in range(4):
        random = np.random.default_rng(seed)
        rates = random.uniform(0, 1, random.integers(1, 9)).tolist()
        steps = int(random.integers(1, 7))
        schedule = EpochRates(rates, steps)
        for epoch, rate in enumerate([*rates, rates[-1]]):
            for step in {epoch * steps, epoch * steps + steps - 1}:
                assert float(schedule(step)) == pytest.approx(rate)
