import numpy as np
import pytest
from hypothesis import given
from same_examples import SEEDS
from sklearn import metrics as theirs

from keras_lt import evaluation as e
from keras_lt import stats

COUNTS = (150, 101, 60, 20, 10, 5)
# Class 0: 3 of 4 right, 1: 1 of 2, 2: 1 of 1; class 3 has no image.
LABELS = np.array([0, 0, 0, 0, 1, 1, 2])
PREDICTIONS = np.array([0, 0, 0, 1, 1, 3, 2])
FUNCTIONS = (
    *(e.accuracy, e.balanced_accuracy, e.macro_f1, e.harmonic_mean),
    *(e.geometric_mean, e.worst_class, e.worst_tenth),
)


def drawn(seed, classes=6, number=60):
    random = np.random.default_rng(seed)
    labels = random.integers(0, random.integers(1, classes + 1), number)
    wrong = random.random(number) < random.random()
    return labels, np.where(wrong, random.integers(0, classes, number), labels)


def test_by_hand():
    counts = e.tally(PREDICTIONS, LABELS, 4)
    np.testing.assert_array_equal(counts.right, [3, 1, 1, 0])
    np.testing.assert_array_equal(counts.total, [4, 2, 1, 0])
    np.testing.assert_array_equal(counts.predicted, [3, 2, 1, 1])
    np.testing.assert_array_equal(e.recalls(counts), [0.75, 0.5, 1, np.nan])
    np.testing.assert_array_equal(e.precisions(counts), [1, 0.5, 1, 0])
    goldens = (5 / 7, 0.75, (6 / 7 + 0.5 + 1) / 3, 3 / (4 / 3 + 2 + 1))
    goldens += ((0.75 * 0.5) ** (1 / 3), 0.5, 0.5)
    for function, golden in zip(FUNCTIONS, goldens, strict=True):
        assert function(counts) == pytest.approx(golden), function


@given(SEEDS)
def test_equal_to_scikit_learn(seed):
    labels, predictions = drawn(seed)
    counts = e.tally(predictions, labels, 6)
    present = np.unique(labels)
    more = {"labels": present, "zero_division": 0}
    assert e.accuracy(counts) == pytest.approx(
        theirs.accuracy_score(labels, predictions)
    )
    assert e.balanced_accuracy(counts) == pytest.approx(
        theirs.recall_score(labels, predictions, average="macro", **more)
    )
    assert e.macro_f1(counts) == pytest.approx(
        theirs.f1_score(labels, predictions, average="macro", **more)
    )
    np.testing.assert_allclose(
        e.precisions(counts)[counts.predicted > 0],
        theirs.precision_score(
            *(labels, predictions),
            **{"labels": np.unique(predictions), "average": None},
            zero_division=0,
        ),
    )


@given(SEEDS)
def test_names_of_classes_do_not_matter(seed):
    labels, predictions = drawn(seed)
    order = np.random.default_rng(seed).permutation(6)
    counts = e.tally(predictions, labels, 6)
    renamed = e.tally(order[predictions], order[labels], 6)
    for function in FUNCTIONS:
        assert function(counts) == pytest.approx(function(renamed)), function
    new = np.empty(6, int)
    new[order] = COUNTS
    groups = e.group_accuracies(counts, COUNTS)
    assert groups == pytest.approx(e.group_accuracies(renamed, new))


@given(SEEDS)
def test_weights_are_repetitions(seed):
    labels, predictions = drawn(seed)
    times = np.random.default_rng(seed).integers(1, 4, (2, len(labels)))
    together = e.tally(predictions, labels, 6, times)
    for row, weights in enumerate(times):
        alone = e.tally(
            np.repeat(predictions, weights), np.repeat(labels, weights), 6
        )
        for function in FUNCTIONS:
            found = function(together)
            assert found.shape == (2,)
            assert found[row] == pytest.approx(function(alone)), function


@given(SEEDS)
def test_means_lie_in_their_order(seed):
    labels, predictions = drawn(seed)
    counts = e.tally(predictions, labels, 6)
    found = [
        e.worst_class(counts),
        e.worst_tenth(counts),
        e.harmonic_mean(counts),
        e.geometric_mean(counts),
        e.balanced_accuracy(counts),
    ]
    assert (np.diff(found) >= -1e-12).all()


def test_groups_are_those_of_stats():
    labels, predictions = drawn(3)
    groups = e.group_accuracies(e.tally(predictions, labels, 6), COUNTS)
    golden = stats.shot_accuracies(predictions, labels, COUNTS)
    assert groups == pytest.approx({k: golden[k] for k in groups})
    assert len(groups) == 3


def test_empty_groups_are_absent():
    counts = e.tally(np.array([0, 1]), np.array([0, 0]), 3)
    assert e.group_accuracies(counts, (150, 150, 5)) == {"many": 0.5}
    assert e.head_tail_mean(counts, (150, 150, 5)) is None


def test_head_and_tail():
    counts = e.tally(np.array([0, 0, 1, 0]), np.array([0, 0, 1, 1]), 2)
    assert e.head_tail_mean(counts, (150, 5)) == pytest.approx(2 / 3)
    nothing = e.tally(np.array([1, 0]), np.array([0, 1]), 2)
    assert e.head_tail_mean(nothing, (150, 5)) == 0


def test_a_class_that_is_never_right():
    counts = e.tally(np.array([0, 0]), np.array([0, 1]), 2)
    for function in (e.harmonic_mean, e.geometric_mean, e.worst_class):
        assert function(counts) == 0
    assert e.balanced_accuracy(counts) == 0.5


def test_one_class():
    counts = e.tally(np.array([0, 0]), np.array([0, 0]), 1)
    for function in FUNCTIONS:
        assert function(counts) == pytest.approx(1)


def test_the_worst_tenth_of_many_classes():
    labels = np.repeat(np.arange(20), 10)
    right = np.tile(np.arange(10), 20) < np.repeat(np.arange(20), 10) % 10
    predictions = np.where(right, labels, (labels + 1) % 20)
    counts = e.tally(predictions, labels, 20)
    assert e.worst_tenth(counts) == 0  # classes 0 and 10
    counts = e.tally(predictions[10:], labels[10:], 20)
    assert e.worst_tenth(counts) == pytest.approx((0 + 0.1) / 2)


def test_bad_arguments():
    for labels in ([0, 4], [-1, 0]):
        with pytest.raises(ValueError, match=r"`labels` must be in \[0, 4\)"):
            e.tally(np.array([0, 1]), np.array(labels), 4)
    with pytest.raises(ValueError, match="as long as each other"):
        e.tally(np.array([0, 1]), np.array([0]), 4)
    with pytest.raises(ValueError, match="whole numbers"):
        e.tally(np.array([0.5]), np.array([0.0]), 4)
