"""What holds for any numbers, drawn at random but always the same."""

import math

import numpy as np
import programs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from same_examples import SEEDS

from keras_lt import samplers
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

ONCE = programs.once("tensorflow")  # what says nothing of a backend
SAMPLERS = {name: make(5) for name, make in samplers.SAMPLERS.items()}
EVERY = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
ALMOST = 1e-6  # of an image, for what floats round


@st.composite
def labels(draw):
    """Labels in any order, of classes some of which have no image."""
    counts = draw(st.lists(st.integers(0, 12), min_size=1, max_size=6))
    counts[draw(st.integers(0, len(counts) - 1))] += 1
    ids = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(draw(SEEDS)).permutation(ids)


@pytest.mark.slow
@ONCE
@EVERY
@given(labels(), SEEDS, st.integers(0, 6))
def test_an_epoch_is_known_from_its_seed_and_number(
    sampler, labels, seed, epoch
):
    indices = sampler(labels, seed, epoch)
    assert indices.shape == labels.shape
    assert np.issubdtype(indices.dtype, np.integer)
    assert indices.min() >= 0 and indices.max() < len(labels)
    # A run that goes on there, or did something else before, sees the same.
    sampler(labels, seed + 1, epoch + 1)
    np.testing.assert_array_equal(sampler(labels, seed, epoch), indices)
    # So does one whose classes have other names in the same order.
    np.testing.assert_array_equal(sampler(3 * labels + 2, seed, epoch), indices)


@ONCE
@EVERY
@given(labels(), SEEDS)
def test_after_any_epoch_images_of_a_class_were_equally_often(
    sampler, labels, seed
):
    seen = np.zeros(len(labels), int)
    for epoch in range(4):
        np.add.at(seen, sampler(labels, seed, epoch), 1)
        for class_id in set(labels):
            assert np.ptp(seen[labels == class_id]) <= 1
        assert seen.sum() == (epoch + 1) * len(labels)
        if isinstance(sampler, samplers.InstanceBalanced):
            assert (seen == epoch + 1).all()
        if isinstance(sampler, samplers.ClassAware):
            drawn = [seen[labels == class_id].sum() for class_id in set(labels)]
            assert np.ptp(drawn) <= sampler.in_a_row


@ONCE
@given(
    st.lists(
        st.integers(0, 140) | st.sampled_from([19, 20, 100, 101]),
        min_size=1,
        max_size=60,
    ),
    st.randoms(use_true_random=False),
)
def test_every_class_is_in_the_shot_group_of_its_count(counts, random):
    counts = np.array(counts)
    groups = shot_groups(counts)
    members = np.concatenate(groups)
    assert sorted(members) == [*range(len(counts))]  # each in one of them
    bounds = {"many": (101, np.inf), "medium": (20, 100), "few": (0, 19)}
    for name, (low, high) in bounds.items():
        ids = getattr(groups, name)
        assert (np.diff(ids) > 0).all()
        assert ((counts[ids] >= low) & (counts[ids] <= high)).all()
    # Another order of the classes is another name for each.
    order = np.array(random.sample(range(len(counts)), len(counts)))
    for ours, theirs in zip(groups, shot_groups(counts[order]), strict=True):
        assert sorted(order[theirs]) == ours.tolist()


@ONCE
@given(st.lists(st.integers(0, 9), min_size=1, max_size=200))
def test_classes_rank_by_count_and_then_by_id(counts):
    ranks = frequency_ranks(counts)
    by_rank = sorted(range(len(counts)), key=lambda c: (-counts[c], c))
    assert np.argsort(ranks).tolist() == by_rank
    assert sorted(ranks) == [*range(len(counts))]


@ONCE
@given(st.integers(2, 300), st.integers(1, 5000), st.floats(1, 500, width=32))
def test_counts_fall_from_the_largest_to_the_smallest(classes, largest, ratio):
    for profile in PROFILES.values():
        counts = profile(classes, largest, ratio)
        assert len(counts) == classes
        assert {type(count) for count in counts} == {int}
        assert (np.diff(counts) <= 0).all()
        assert counts[0] == largest
        # The last one is cut, not rounded.
        assert -ALMOST < largest / ratio - counts[-1] < 1 + ALMOST
    half = classes // 2
    step = step_counts(classes, largest, ratio)
    assert sum(step) == half * largest + (classes - half) * step[-1]
    # Those of tests/cards/ride.md, in logarithms.
    falls = math.log(ratio) / (classes - 1)
    exact = largest * np.exp(-falls * np.arange(classes))
    lost = exact - exponential_counts(classes, largest, ratio)
    assert (lost > -ALMOST).all() and (lost < 1 + ALMOST).all()


@ONCE
@pytest.mark.parametrize("ratio", [1, 10, 20, 50, 100, 200, 256])
def test_the_ends_of_published_ratios_are_exact(ratio):
    for smallest in range(1, 60):
        counts = exponential_counts(10, smallest * ratio, ratio)
        assert (counts[0], counts[-1]) == (smallest * ratio, smallest)


@ONCE
@given(
    st.lists(
        st.integers(1, 30).flatmap(
            lambda size: st.tuples(st.just(size), st.integers(1, size))
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 29),
    SEEDS,
)
def test_a_long_tail_of_indices_has_the_counts(classes, kept, seed):
    sizes, counts = np.transpose(classes)
    kept = min(kept, sizes.min() - 1)
    ids = np.repeat(np.arange(len(sizes)), sizes)
    ids = np.random.default_rng(seed).permutation(ids)
    for subset in ("ldam", "first"):
        train, validation = long_tail_indices(
            ids, counts, subset=subset, validation_per_class=kept
        )
        found = np.bincount(ids[train], minlength=len(sizes))
        assert found.tolist() == np.minimum(counts, sizes - kept).tolist()
        held = np.bincount(ids[validation], minlength=len(sizes))
        assert held.tolist() == [kept] * len(sizes)
        every = [*train, *validation]
        assert len(set(every)) == len(every)


PEAKS = st.floats(0.01, 2)
EPOCHS = st.integers(3, 300)


@st.composite
def warmups(draw):
    """Epochs in all, and of the warm-up."""
    epochs = draw(EPOCHS)
    return epochs, draw(st.integers(1, epochs))


@ONCE
@given(PEAKS, warmups(), st.integers(0, 1))
def test_half_a_cosine_falls_from_its_peak(peak, numbers, shift):
    epochs, warmup = numbers
    rates = cosine_rates(peak, epochs, shift=shift)
    golden = [
        peak * math.cos(math.pi * (epoch + shift) / epochs / 2) ** 2
        for epoch in range(epochs)
    ]
    assert rates == pytest.approx(golden, rel=1e-9, abs=1e-12)
    assert min(rates) >= 0 and (np.diff(rates) < 0).all()
    warm = cosine_rates(peak, epochs, shift=shift, warmup_epochs=warmup)
    assert warm[warmup - 1 :] == rates[warmup - 1 :]
    ramp = np.arange(1, warmup + 1) / warmup
    assert warm[:warmup] == pytest.approx(ramp * rates[:warmup])


@ONCE
@given(PEAKS, warmups())
def test_a_cosine_after_the_warm_up_meets_it_at_the_peak(peak, numbers):
    epochs, warmup = numbers
    rates = warmup_cosine_rates(peak, epochs, warmup_epochs=warmup)
    assert len(rates) == epochs and min(rates) > 0
    assert np.argmax(rates) == warmup - 1
    assert max(rates) == pytest.approx(peak)
    assert np.diff(rates[:warmup]) == pytest.approx(peak / warmup)
    assert (np.diff(rates[warmup - 1 :]) < 0).all()


@ONCE
@given(
    PEAKS,
    EPOCHS,
    st.lists(st.integers(1, 299), max_size=4, unique=True),
    st.floats(0.05, 0.9),
    st.integers(0, 20),
    st.floats(0, 1),
)
def test_steps_drop_at_their_milestones(
    peak, epochs, milestones, factor, warmup, start
):
    rates = step_rates(
        peak,
        epochs,
        milestones=milestones,
        factor=factor,
        warmup_epochs=warmup,
        warmup_start=start,
    )
    assert len(rates) == epochs and min(rates) >= 0
    for epoch, rate in enumerate(rates):
        full = peak
        for milestone in milestones:
            full *= factor if milestone <= epoch else 1
        missing = max(warmup - epoch - 1, 0) / max(warmup, 1)
        assert rate == pytest.approx(full * (1 - missing * (1 - start)))


@settings(max_examples=10)
@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=8),
    st.integers(1, 7),
    st.integers(0, 80),
)
def test_a_step_has_the_rate_of_its_epoch(rates, steps, step):
    schedule = EpochRates(rates, steps)
    for each in (0, steps - 1, steps, step):
        epoch = min(each // steps, len(rates) - 1)
        assert float(schedule(each)) == rates[epoch]
