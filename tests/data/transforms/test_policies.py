"""What policies draw, and that all kinds of loaders give the same images."""

import pathlib

import keras
import numpy as np
import programs
import pytest
from every_kind import KINDS, batches

from keras_lt.data import (
    Augment,
    AutoAugment,
    Batching,
    Cutout,
    Loader,
    RandAugment,
)
from keras_lt.data.pipeline.plan import times_before
from keras_lt.data.transforms.autoaugment import CIFAR
from keras_lt.data.transforms.operations import NAMES, NUMBER, STRONGEST
from keras_lt.samplers import ClassBalanced, InstanceBalanced

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (48, 12, 10, 3), "uint8")
LABELS = np.repeat([0, 1, 2], [40, 6, 2])
BATCHING = Batching(sampler=ClassBalanced(), batch_size=16)
SHAPE = (32, 32, 3)


def drawn(policy, batch=20_000, repeats=0, seed=0, shape=SHAPE):
    random = np.random.default_rng(seed)
    return policy.draw(random, shape, np.full(batch, repeats))


def policies(*chosen):
    return Augment(pad=1, flip=True, policies=chosen)


STRONG = policies(RandAugment(1, 9), AutoAugment(growth=1.0), Cutout(4))


@programs.once("jax")
def test_the_pairs_of_the_card():
    """All 25, but for strengths of what has none."""
    card = pathlib.Path(__file__).parents[2] / "cards" / "toolbox.md"
    rows = [line.split("|")[1:-1] for line in card.read_text().splitlines()]
    halves = [row[i : i + 3] for row in rows if len(row) == 6 for i in (0, 3)]
    found = {
        int(number): [_of_card(text) for text in pair]
        for number, *pair in halves
        if number.strip().isdigit()
    }
    assert sorted(found) == [*range(1, 26)]
    for number, pair in enumerate(CIFAR, 1):
        assert found[number] == [
            (name, probability, strength if name in STRONGEST else None)
            for name, probability, strength in pair
        ]


def _of_card(text):
    """Operation, probability and strength, if there is one."""
    name, probability, *more = text.replace("*", "").split()
    name = name.replace("X", "_x").replace("Y", "_y")
    return name, float(probability), int(more[0][1:]) if more else None


# Resolved values of the card: both, if there is a random sign.
@pytest.mark.parametrize(
    ("pair", "turn", "sizes"),
    [
        (1, 2, [0.4, 1.6]),
        (4, 1, [-0.266667, 0.266667]),
        (6, 2, [8]),  # 5 bits
        (15, 1, [199.1111]),
        (19, 2, [28.4444]),
        (20, 2, [1.0]),
    ],
)
@programs.once("jax")
def test_values_of_the_card(pair, turn, sizes):
    name, probability, _ = CIFAR[pair - 1][turn - 1]
    found = drawn_pairs(pair)
    happens = found["operation"][:, turn - 1] > 0
    assert happens.mean() == pytest.approx(probability, abs=0.02)
    chosen = found["operation"][happens, turn - 1]
    assert set(chosen) == {NUMBER[name]}
    values, counts = np.unique(
        found["value"][happens, turn - 1], return_counts=True
    )
    np.testing.assert_allclose(values, sizes, atol=1e-4)
    shares = np.full(len(sizes), 1 / len(sizes))
    np.testing.assert_allclose(counts / counts.sum(), shares, atol=0.05)


class OnePair:
    """A generator that always draws one of the pairs."""

    def __init__(self, pair):
        self.pair = pair
        self.random = np.random.default_rng(0).random

    def integers(self, high, size):
        assert high == 25
        return np.full(size, self.pair - 1)


def drawn_pairs(pair, batch=4000):
    return AutoAugment().draw(OnePair(pair), SHAPE, np.zeros(batch, int))


@programs.once("jax")
def test_shifts_and_turns_of_the_card():
    """Whole pixels at 32; turns are counter-clockwise only."""
    for pair, turn, pixels in ((2, 2, 15), (11, 2, 13), (13, 1, 5)):
        found = drawn_pairs(pair, 200)
        matrix = found["matrix"][found["operation"][:, turn - 1] > 0, turn - 1]
        first = matrix[:, [2, 5]] >> 16  # of the pixel in the corner
        along = 0 if CIFAR[pair - 1][turn - 1][0].endswith("x") else 1
        assert set(first[:, along]) == {-pixels, pixels}
        assert set(first[:, 1 - along]) == {0}
    found = drawn_pairs(2, 200)
    turned = found["operation"][:, 0] == NUMBER["rotate"]
    assert 0.6 < turned.mean() < 0.8
    sines = found["matrix"][turned, 0, 3] / 65536
    np.testing.assert_allclose(sines, np.sin(np.deg2rad(20 / 3)), atol=1e-4)


@programs.once("jax")
def test_pairs_are_equally_likely():
    operation = drawn(AutoAugment(), 100_000)["operation"]
    golden = np.zeros((2, len(NAMES)))
    for pair in CIFAR:
        for turn, (name, probability, _) in enumerate(pair):
            golden[turn, NUMBER[name]] += probability / 25
    golden[:, 0] = 1 - golden.sum(1)
    for turn in range(2):
        counts = np.bincount(operation[:, turn], minlength=len(NAMES))
        np.testing.assert_allclose(counts / 1e5, golden[turn], atol=0.005)


@programs.once("jax")
def test_operations_of_rand_augment_are_equally_likely():
    found = drawn(RandAugment(3, 5))
    assert found["operation"].shape == (20_000, 3)
    counts = np.bincount(found["operation"].ravel(), minlength=len(NAMES))
    assert counts[NUMBER["invert"]] == 0
    shares = np.delete(counts, NUMBER["invert"]) / counts.sum()
    np.testing.assert_allclose(shares, 1 / 14, atol=0.005)
    slopes = found["value"][found["operation"] == NUMBER["shear_x"]]
    values, counts = np.unique(slopes, return_counts=True)
    np.testing.assert_allclose(values, [-0.15, 0.15], atol=1e-6)
    assert counts[0] / counts.sum() == pytest.approx(0.5, abs=0.03)


@programs.once("jax")
def test_growth():
    """Later draws of an image are stronger, or more likely."""

    def slope(times, growth=2.0):
        found = drawn(RandAugment(1, 3, growth), 2000, times)
        chosen = found["operation"] == NUMBER["shear_y"]
        (size,) = np.unique(np.abs(found["value"][chosen]))
        return size

    assert slope(0) == slope(3, growth=0.0) == pytest.approx(0.3 * 0.3)
    assert slope(1) == pytest.approx(0.3 * 0.5)
    assert slope(3) == pytest.approx(0.3 * 0.9)
    assert slope(4) == slope(9) == pytest.approx(0.3)

    def turned(times):
        first = drawn(AutoAugment(1.0), 100_000, times)["operation"][:, 0]
        return (first == NUMBER["rotate"]).mean() * 25

    assert turned(0) == pytest.approx(0.7, abs=0.05)
    assert turned(1) == pytest.approx(1 - 0.3**2, abs=0.05)
    assert turned(4) == pytest.approx(1, abs=0.06)
    inverted = drawn(AutoAugment(50.0), 2000, 99)["operation"][:, 1]
    assert (inverted == NUMBER["invert"]).mean() < 0.08  # 0 stays 0 in pair 15


@programs.once("jax")
def test_repeats_of_an_epoch_reach_the_policies():
    """A policy that writes how often an image came before."""

    class Times:
        def check(self, shape):
            pass

        def draw(self, random, shape, repeats):
            return {"times": repeats}

        def apply(self, images, draws, ops):
            return images * 0 + draws["times"][:, None, None, None]

    def times(sampler, epoch):
        batching = Batching(sampler=sampler, batch_size=16)
        return np.concatenate(
            [
                images[:, 0, 0, 0]
                for images, _ in batches(
                    (IMAGES.astype("int64"), LABELS),
                    "numpy",
                    batching,
                    3,
                    epoch=epoch,
                    augment=Augment(policies=(Times(),)),
                )
            ]
        )

    assert not times(InstanceBalanced(), 0).any()
    for epoch in (0, 1):
        order = ClassBalanced()(LABELS, 3, epoch)
        golden = [(order[:i] == image).sum() for i, image in enumerate(order)]
        assert max(golden) > 3
        np.testing.assert_array_equal(times(ClassBalanced(), epoch), golden)
    assert times_before(np.array([], int)).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_agree(kind):
    of = (IMAGES, LABELS)
    host = batches(of, "numpy", BATCHING, 3, augment=STRONG)
    ours = batches(of, kind, BATCHING, 3, augment=STRONG)
    for (x, y), (x2, y2) in zip(host, ours, strict=True):
        assert x2.dtype == "uint8"
        np.testing.assert_array_equal(y, y2)
        if kind != "device":
            np.testing.assert_array_equal(x, x2)
        else:  # where float32 is rounded, see `test_operations.py`
            assert (x != x2).mean() < 0.03


@programs.once("jax")
def test_seeds_views_and_batches_differ():
    def views(seed):
        batching = Batching(batch_size=48, two_views=True)
        both = batches(
            (IMAGES, LABELS), "numpy", batching, seed, augment=STRONG
        )
        return [view for inputs, _ in both for view in inputs[:2]]

    first, again = views(1), views(1)
    for ours, theirs in zip(first, again, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    different = first + views(2)
    for i, ours in enumerate(different):
        assert all((ours != other).any() for other in different[:i])


@programs.once("jax")
@pytest.mark.parametrize("shape", [(12, 10, 3), (8, 8, 1), (9, 9, 4)])
@pytest.mark.parametrize("policy", STRONG.policies)
def test_images_are_changed_one_by_one(policy, shape):
    """Another order of the images is another order of the results."""
    images = RANDOM.integers(0, 256, (40, *shape), "uint8")
    before = images.copy()
    draws = drawn(policy, 40, shape=shape)
    ours = policy.apply(images, draws, np)
    assert ours.shape == images.shape and ours.dtype == "uint8"
    assert (ours != images).any((1, 2, 3)).mean() > 0.5
    np.testing.assert_array_equal(images, before)
    order = RANDOM.permutation(40)
    other = {name: array[order] for name, array in draws.items()}
    theirs = policy.apply(images[order], other, np)
    np.testing.assert_array_equal(theirs, ours[order])


@pytest.mark.parametrize("ops", [np, keras.ops], ids=["numpy", "backend"])
def test_cutout_of_the_card(ops):
    images = np.full((4, 32, 32, 3), 9, "uint8")
    centre = np.array([[0, 0], [31, 31], [16, 16], [4, 20]], "int32")
    ours = np.asarray(Cutout(16).apply(images, {"centre": centre}, ops))
    holes = [slice(0, 8)] * 2, [slice(23, 32)] * 2, [slice(8, 24)] * 2
    golden = images.copy()
    for image, hole in zip(
        golden, (*holes, [slice(0, 12), slice(12, 28)]), strict=True
    ):
        image[tuple(hole)] = 0
    np.testing.assert_array_equal(ours, golden)
    areas = (ours == 0).all(-1).sum((1, 2))
    assert areas.tolist() == [64, 81, 256, 192]


@programs.once("jax")
def test_cutout_centres():
    centre = drawn(Cutout(16), shape=(32, 20, 3))["centre"]
    assert centre.min() == 0 and centre.max(0).tolist() == [31, 19]
    images = np.ones((2000, 32, 32, 1), "uint8")
    kept = Cutout(16).apply(images, drawn(Cutout(16), 2000), np)
    assert 1024 - kept.sum((1, 2, 3)).mean() == pytest.approx(196, abs=4)


@programs.once("jax")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AutoAugment(-1), "`growth` must be >= 0, got -1"),
        (lambda: RandAugment(0, 5), "`number` must be a whole .* >= 1, got 0"),
        (lambda: RandAugment(1.5, 5), "`number` must be a whole .*got 1.5"),
        (lambda: RandAugment(2, 11), r"`magnitude` must be in \[0, 10\].*11"),
        (lambda: RandAugment(2, 5, -1), "`growth` must be >= 0, got -1"),
        (lambda: Cutout(3), "`size` must be an even number >= 2, got 3"),
        (lambda: Cutout(2.5), "`size` must be a whole number, got 2.5"),
        (
            lambda: Loader((IMAGES, LABELS), augment=policies(Cutout(12))),
            "Cutout: `size` must be at most the 10 pixels .*got 12",
        ),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
