import numpy as np
import pytest

from keras_lt import samplers, shuffled_cycles

COUNTS = np.array([1200, 300, 100, 8])
LABELS = np.random.default_rng(0).permutation(
    np.repeat(np.arange(len(COUNTS)), COUNTS)
)
SAMPLERS = {name: make(5) for name, make in samplers.SAMPLERS.items()}
EVERY = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
DRAWN = [name for name in SAMPLERS if name != "instance"]


def probabilities(name, epoch, beta=0.9999):
    """Of each class, from the definitions."""
    share = COUNTS / COUNTS.sum()
    if name in ("class", "class_aware"):
        weights = np.ones(4)
    elif name == "square_root":
        weights = COUNTS**0.5
    elif name == "effective_number":
        weights = COUNTS * (1 - beta) / (1 - beta**COUNTS)
    elif name == "progressive":
        weights = (1 - epoch / 4) * share + epoch / 4 / 4
    return weights / weights.sum()


def within_binomial_bounds(drawn, expected):
    """Whether counts are within 4.5 standard deviations."""
    total = drawn.sum()
    deviation = np.sqrt(total * expected * (1 - expected))
    return np.all(np.abs(drawn - total * expected) <= 4.5 * deviation)


def frequencies(sampler, epoch, seeds=20):
    return sum(
        np.bincount(LABELS[sampler(LABELS, seed, epoch)], minlength=4)
        for seed in range(seeds)
    )


@EVERY
def test_streams(sampler):
    indices = sampler(LABELS, 3, 1)
    assert indices.shape == LABELS.shape
    assert np.issubdtype(indices.dtype, np.integer)
    assert indices.min() >= 0 and indices.max() < len(LABELS)
    np.testing.assert_array_equal(indices, sampler(LABELS, seed=3, epoch=1))
    np.testing.assert_array_equal(indices, sampler(list(LABELS), 3, 1))
    for seed, epoch in ((3, 2), (4, 1), (1, 3)):
        assert not np.array_equal(indices, sampler(LABELS, seed, epoch))


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("other", [(4, 0), (3, 1)], ids=["seed", "epoch"])
def test_another_seed_or_epoch_draws_by_chance_the_same(name, other):
    indices, others = (
        SAMPLERS[name](LABELS, seed, epoch) for seed, epoch in ((3, 0), other)
    )
    ours, theirs = LABELS[indices], LABELS[others]
    by_chance = probabilities(name, 0) @ probabilities(name, other[1])
    assert np.mean(ours == theirs) == pytest.approx(by_chance, abs=0.06)
    # The images of a class come in another order.
    first, second = indices[ours == 0][:100], others[theirs == 0][:100]
    assert np.mean(first == second) < 0.1
    if name != "class_aware":  # which draws all equally often
        drawn = [np.bincount(classes).tolist() for classes in (ours, theirs)]
        assert drawn[0] != drawn[1]


def test_random_numbers_of_two_purposes_do_not_meet():
    starts = {
        shuffled_cycles.start(seed, purpose)
        for seed in range(3)
        for purpose in range(1, 4)
    }
    assert len(starts) == 9


@EVERY
def test_the_global_state_plays_no_part(sampler):
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    sampler(LABELS, 0, 0)
    np.testing.assert_array_equal(before, np.random.get_state()[1])


def test_instance_balanced_is_a_permutation():
    indices = samplers.InstanceBalanced()(LABELS, 0, 0)
    np.testing.assert_array_equal(np.sort(indices), np.arange(len(LABELS)))
    assert np.mean(indices == np.arange(len(LABELS))) < 0.01


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("epoch", [0, 1, 4])
def test_class_frequencies(name, epoch):
    drawn = frequencies(SAMPLERS[name], epoch)
    assert within_binomial_bounds(drawn, probabilities(name, epoch))
    others = [
        probabilities(other, epoch)
        for other in DRAWN
        if not np.allclose(
            probabilities(other, epoch), probabilities(name, epoch), atol=0.01
        )
    ]
    assert others
    for other in others:  # the bounds tell samplers apart
        assert not within_binomial_bounds(drawn, other)


@EVERY
def test_a_class_shows_all_images_before_it_repeats_one(sampler):
    # Cycles go on through the epochs.
    indices = np.concatenate([sampler(LABELS, 0, epoch) for epoch in range(4)])
    for class_id, count in enumerate(COUNTS):
        stream = indices[LABELS[indices] == class_id]
        for start in range(0, len(stream), count):
            cycle = stream[start : start + count]
            assert len(np.unique(cycle)) == len(cycle)


@pytest.mark.parametrize("name", DRAWN)
def test_in_the_long_run_a_class_shows_all_images_equally_often(name):
    shown = sum(
        np.bincount(SAMPLERS[name](LABELS, 3, epoch), minlength=len(LABELS))
        for epoch in range(60)
    )
    for class_id in range(len(COUNTS)):
        own = shown[LABELS == class_id]
        assert own.max() - own.min() <= 1
        assert own.min() > 10  # many cycles


@pytest.mark.parametrize("block", [1, 100, 500])
@pytest.mark.parametrize("name", DRAWN)
def test_classes_are_shuffled_in_blocks_of_any_size(name, block, monkeypatch):
    indices = SAMPLERS[name](LABELS, 0, 2)
    monkeypatch.setattr(samplers, "BLOCK", block)
    np.testing.assert_array_equal(SAMPLERS[name](LABELS, 0, 2), indices)


def test_all_orders_of_a_cycle_are_equally_likely():
    labels = np.repeat([0, 1], [3, 2997])
    indices = samplers.ClassBalanced()(labels, 0, 0)
    stream = indices[indices < 3]
    cycles = stream[: len(stream) // 3 * 3].reshape(-1, 3)
    _, seen = np.unique(cycles, axis=0, return_counts=True)
    share = np.full(6, 1 / 6)
    assert within_binomial_bounds(seen, share)
    # Nor does a cycle depend on the one before.
    same = np.mean((cycles[1:] == cycles[:-1]).all(1))
    assert same == pytest.approx(1 / 6, abs=0.07)


def test_cycles_are_shuffled_anew():
    indices = samplers.ClassBalanced()(LABELS, 0, 0)
    stream = indices[LABELS[indices] == 3]  # 8 images, drawn 400 times
    assert len(stream) > 300
    cycles = stream[: len(stream) // 8 * 8].reshape(-1, 8)
    np.testing.assert_array_equal(
        np.sort(cycles, 1)[0], np.flatnonzero(LABELS == 3)
    )
    assert len(np.unique(cycles, axis=0)) > 30


def test_classes_are_mixed():
    indices = samplers.ClassBalanced()(LABELS, 0, 0)
    same = np.mean(LABELS[indices][1:] == LABELS[indices][:-1])
    assert same == pytest.approx(0.25, abs=0.05)


def test_effective_number_by_beta():
    share = COUNTS / COUNTS.sum()
    natural = frequencies(samplers.EffectiveNumber(beta=0), 0)
    assert within_binomial_bounds(natural, share)
    blend = frequencies(samplers.EffectiveNumber(beta=0.99), 0)
    expected = probabilities("effective_number", 0, 0.99)
    assert within_binomial_bounds(blend, expected)
    assert not within_binomial_bounds(blend, share)
    balanced = frequencies(samplers.EffectiveNumber(beta=1 - 1e-9), 0)
    assert within_binomial_bounds(balanced, np.full(4, 0.25))
    with pytest.raises(ValueError, match="`beta`"):
        samplers.EffectiveNumber(beta=1.0)(LABELS, 0, 0)


def test_progressive_goes_from_instance_to_class_balanced():
    sampler = samplers.ProgressivelyBalanced(epochs=5)
    counts = COUNTS.astype(float)
    natural, equal = COUNTS / COUNTS.sum(), np.full(4, 0.25)
    np.testing.assert_allclose(sampler.weights(counts, 0), natural)
    np.testing.assert_allclose(sampler.weights(counts, 4), equal)
    np.testing.assert_allclose(sampler.weights(counts, 9), equal)
    blend = 0.75 * natural + 0.25 * equal
    np.testing.assert_allclose(sampler.weights(counts, 1), blend)
    single = samplers.ProgressivelyBalanced(epochs=1)
    np.testing.assert_allclose(single.weights(counts, 0), natural)


@EVERY
def test_ids_without_images(sampler):
    labels = np.array([7, 7, 2, 7])
    indices = sampler(labels, 0, 0)
    assert set(indices) <= set(range(4))
    assert len(indices) == 4


def test_class_aware_draws_two_in_a_row_unless_told():
    classes = LABELS[samplers.ClassAware()(LABELS, 0, 0)]
    pairs = classes.reshape(-1, 2)
    assert (pairs[:, 0] == pairs[:, 1]).all()
    assert len(set(pairs[:4, 0])) == 4  # then all the others come


def test_class_aware_takes_classes_in_turn():
    labels = np.repeat([0, 1, 2, 5], [60, 25, 12, 3])
    sampler = samplers.ClassAware(in_a_row=3)
    index = sampler(labels, 0, 0)
    assert len(index) == 100
    runs = labels[index][:99].reshape(-1, 3)
    assert (runs == runs[:, :1]).all()  # three of a class in a row
    visits = runs[:, 0]
    turns = visits[: len(visits) // 4 * 4].reshape(-1, 4)
    assert (np.sort(turns, 1) == [0, 1, 2, 5]).all()
    assert len(np.unique(turns, axis=0)) > 3  # of 8, in an order of its own
    counts = np.bincount(labels[index], minlength=6)[[0, 1, 2, 5]]
    assert counts.max() - counts.min() <= 3
    # No image comes again before all of its class have come.
    few = index[labels[index] == 5][:24].reshape(-1, 3)
    assert (np.sort(few, 1) == [97, 98, 99]).all()
    np.testing.assert_array_equal(index, sampler(labels, 0, 0))
    assert not np.array_equal(index, sampler(labels, 0, 1))
    assert not np.array_equal(index, sampler(labels, 1, 0))
