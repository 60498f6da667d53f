"""Prediction sets, resamples, confusion and lengths of tails."""

import numpy as np
import pytest
from hypothesis import given
from same_examples import SEEDS
from scipy import stats as statistics
from sklearn import metrics as theirs

from keras_lt import evaluation as e

COUNTS = (150, 30, 5)


def drawn(seed, number=60, classes=3):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, number)
    logits = random.normal(size=(number, classes)) + np.eye(classes)[labels]
    return e.softmax(logits), labels


def test_sets_by_hand():
    """Nine scores: the 9th of 10 ranks at 10 % is the largest of them."""
    own = np.arange(0.1, 1.0, 0.1)
    known = (np.stack([own, 1 - own], 1), np.zeros(9, int))
    asked = np.array([[0.05, 0.95], [0.1, 0.9], [0.95, 0.05]])
    found = e.prediction_sets(asked, known, (9, 1))
    golden = [[False, True], [True, True], [True, False]]
    np.testing.assert_array_equal(found, golden)
    # The 8th of 10 at 20 %: what is at least 0.2.
    found = e.prediction_sets(asked, known, (9, 1), miss=0.2)
    golden = [[False, True], [False, True], [True, False]]
    np.testing.assert_array_equal(found, golden)
    # Class 1 has no calibration image: it is always in.
    found = e.prediction_sets(asked, known, (9, 1), method="class_conditional")
    np.testing.assert_array_equal(found[:, 1], [True] * 3)
    # p of class 1 counts nine times: 10/9 p_0 and 10 p_1 against 10/9 * 0.1.
    found = e.prediction_sets(asked, known, (9, 1), method="prior_adjusted")
    np.testing.assert_array_equal(
        found, [[False, True], [True, True], [True, True]]
    )


def test_sets_cover_what_they_promise():
    p, labels = drawn(0, 6000)
    half = slice(0, 3000), slice(3000, None)
    known = p[half[0]], labels[half[0]]
    for method in e.SET_METHODS:
        sets = e.prediction_sets(p[half[1]], known, COUNTS, method=method)
        found = e.sets_by_group(sets, labels[half[1]], COUNTS)
        assert found["overall"]["coverage"] == pytest.approx(0.9, abs=0.02)
        if method == "class_conditional":
            for name in ("many", "medium", "few"):
                assert found[name]["coverage"] == pytest.approx(0.9, abs=0.04)
    tail = e.prediction_sets(p[half[1]], known, COUNTS, method="prior_adjusted")
    plain = e.prediction_sets(p[half[1]], known, COUNTS)
    tail, plain = (
        e.sets_by_group(sets, labels[half[1]], COUNTS) for sets in (tail, plain)
    )
    assert tail["few"]["coverage"] > plain["few"]["coverage"] + 0.03


def test_halves_that_calibrate_each_other():
    p, labels = drawn(1, 2000)
    found = e.sets_by_group(e.cross_sets(p, labels, COUNTS), labels, COUNTS)
    assert found["overall"]["coverage"] == pytest.approx(0.9, abs=0.02)
    assert e.cross_sets(p[:1], labels[:1], COUNTS).all()


def test_means_of_sets_by_hand():
    sets = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    found = e.sets_by_group(sets, np.array([0, 0, 1, 1]), (150, 150, 5))
    assert found == {
        "overall": {"coverage": 0.75, "size": 2.0},
        "many": {"coverage": 0.75, "size": 2.0},
    }


def test_bad_sets():
    p, labels = drawn(0)
    with pytest.raises(ValueError, match="`method` must be one of"):
        e.prediction_sets(p, (p, labels), COUNTS, method="best")
    with pytest.raises(ValueError, match=r"`miss` must be in \(0, 1\), got 0"):
        e.prediction_sets(p, (p, labels), COUNTS, miss=0)


def test_resamples_keep_the_images_of_each_class():
    labels = np.array([2, 0, 2, 2, 0, 1])
    seen = []
    found = e.bootstrap(
        lambda w: seen.append(w) or {"sum": w.sum(1)}, labels, times=50
    )
    weights = np.concatenate(seen)
    assert weights.shape == (50, 6)
    for c, number in enumerate((2, 1, 3)):
        np.testing.assert_array_equal(weights[:, labels == c].sum(1), number)
    assert weights.max() > 1
    np.testing.assert_array_equal(found["sum"], 6)


def test_parts_of_resamples_are_the_whole(monkeypatch):
    labels = np.arange(6) // 2
    whole = e.bootstrap(lambda w: {"x": w @ np.arange(6)}, labels, times=9)
    monkeypatch.setattr("keras_lt.evaluation.resampling.VALUES", 12)
    parts = e.bootstrap(lambda w: {"x": w @ np.arange(6)}, labels, times=9)
    np.testing.assert_array_equal(parts["x"], whole["x"])


def test_intervals_are_those_of_the_binomial_distribution():
    """Of one class with 400 images, 300 of them right."""
    labels, right = np.zeros(400, int), np.arange(400) < 300
    drawn = e.bootstrap(
        lambda w: {"accuracy": w @ right / 400}, labels, times=4000
    )
    low, high = e.intervals(drawn)["accuracy"]
    golden = statistics.binom(400, 0.75).ppf([0.025, 0.975]) / 400
    assert [low, high] == pytest.approx(golden, abs=0.005)
    with pytest.raises(ValueError, match=r"`level` must be in \(0, 1\)"):
        e.intervals(drawn, level=95)
    with pytest.raises(ValueError, match="`times` must be >= 1"):
        e.bootstrap(lambda w: {}, labels, times=0)


def test_measures_of_resamples():
    p, labels = drawn(3)
    found = e.bootstrap(
        lambda w: e.measures(p, labels, COUNTS, weights=w), labels, times=20
    )
    exact = e.measures(p, labels, COUNTS)
    assert found.keys() == exact.keys()
    for name, (low, high) in e.intervals(found, level=0.99).items():
        assert low < high
        if name not in ("ece", "worst_class", "worst_tenth"):  # are biased
            assert low <= exact[name] <= high, name


def test_mcnemar():
    ours = np.array([True] * 9 + [False] * 3 + [True] * 5)
    theirs = np.array([False] * 9 + [True] * 3 + [True] * 5)
    # Two tails of 12 fair coins: 2 * (1 + 12 + 66 + 220) / 4096.
    assert e.mcnemar(ours, theirs) == pytest.approx(2 * 299 / 4096)
    assert e.mcnemar(ours, theirs) == e.mcnemar(theirs, ours)
    assert e.mcnemar(ours, ours) == 1
    with pytest.raises(ValueError, match="of the same images"):
        e.mcnemar(ours, theirs[1:])


@given(SEEDS)
def test_confusion(seed):
    p, labels = drawn(seed)
    predictions = p.argmax(1)
    table = e.confusion(predictions, labels, 3)
    np.testing.assert_array_equal(
        table, theirs.confusion_matrix(labels, predictions, labels=[0, 1, 2])
    )
    pairs = e.confused_pairs(predictions, labels, number=9)
    assert sum(images for *_, images in pairs) == (table.sum() - table.trace())
    assert all(table[true, answer] == images for true, answer, images in pairs)
    numbers = [images for *_, images in pairs]
    assert numbers == sorted(numbers, reverse=True)


def test_no_mistakes_are_no_pairs():
    assert e.confused_pairs(np.array([0, 1]), np.array([0, 1])) == []


def test_lengths_of_tails():
    # Mean difference of 1, 1, 4 is 2 * (0 + 3 + 3) / 9, over twice the mean 2.
    assert e.gini([1, 4, 1]) == pytest.approx(12 / 9 / 4)
    assert e.gini([7]) == 0
    assert e.pareto_ratio([1, 1, 1, 1, 1]) == 0.25
    assert e.pareto_ratio([50, 30, 10, 5, 5]) == 1.5
    assert e.pareto_ratio([50, 30, 10, 5, 5], share=0.81) == pytest.approx(
        2 / 3
    )
    with pytest.raises(ValueError, match=r"`share` must be in \(0, 1\)"):
        e.pareto_ratio([1, 1], share=80)
    with pytest.raises(ValueError, match="`class_counts`.*class 1"):
        e.gini([5, 0])
