"""Other priors, and which class wins under them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from same_examples import SEEDS

from keras_lt import evaluation as e

COUNTS = (90, 30, 10)


def test_priors_by_hand():
    np.testing.assert_allclose(e.power_prior((8, 2), 1), [0.8, 0.2])
    np.testing.assert_allclose(e.power_prior((8, 2), 0), [0.5, 0.5])
    np.testing.assert_allclose(e.power_prior((8, 2), -1), [0.2, 0.8])
    # Counts 2, 9, 4 have ranks 2, 0, 1: shares 1, 4, 2 over 7 of ratio 4.
    np.testing.assert_allclose(
        e.shifted_prior((2, 9, 4), 4), np.array([1, 4, 2]) / 7
    )
    np.testing.assert_allclose(
        e.shifted_prior((2, 9, 4), 4, backward=True), np.array([4, 1, 2]) / 7
    )
    np.testing.assert_allclose(e.shifted_prior((5,), 50), [1])
    with pytest.raises(ValueError, match="`ratio` must be >= 1, got 0.5"):
        e.shifted_prior(COUNTS, 0.5)


def test_accuracy_under_a_prior_is_that_of_drawn_images():
    """Weights against images that are really repeated."""
    labels = np.array([0, 0, 1, 1, 2, 2])
    predictions = np.array([0, 1, 1, 1, 2, 0])
    weights = e.weights_of_prior(labels, np.array([0.6, 0.3, 0.1]))
    found = e.accuracy(e.tally(predictions, labels, 3, weights))
    assert found == pytest.approx(0.6 * 0.5 + 0.3 * 1 + 0.1 * 0.5)
    # Without images of class 0, 3 to 1 are left of the others.
    weights = e.weights_of_prior(labels[2:], np.array([0.6, 0.3, 0.1]))
    np.testing.assert_allclose(weights, np.array([3, 3, 1, 1]) / 8)


def bayes(random, prior, number=3000):
    """Labels of a prior, and exact log likelihoods of noisy features."""
    labels = random.choice(len(prior), number, p=prior)
    features = np.eye(len(prior))[labels]
    features = features + random.normal(size=features.shape)
    return labels, features  # log p(x | c) = features_c + constant


def test_the_right_prior_is_the_best_and_the_model_tells_its_own():
    random = np.random.default_rng(0)
    tail = e.power_prior(COUNTS, 1)
    labels, likelihood = bayes(random, np.ones(3) / 3)
    plain = likelihood + np.log(tail)  # learned on the tail
    assert e.expects_tail(plain, labels, COUNTS)
    assert not e.expects_tail(likelihood, labels, COUNTS)
    equal = np.ones(3) / 3
    np.testing.assert_allclose(
        e.softmax(e.reweighted(plain, tail, equal)), e.softmax(likelihood)
    )
    rows = e.shifted_accuracies(plain, labels, COUNTS, own=tail)
    ratios = [50, 25, 10, 5, 2, 1, 2, 5, 10, 25, 50]
    assert [row["ratio"] for row in rows] == ratios
    directions = ["forward"] * 5 + ["uniform"] + ["backward"] * 5
    assert [row["direction"] for row in rows] == directions
    assert all(row["corrected"] >= row["plain"] - 0.01 for row in rows)
    assert rows[-1]["corrected"] > rows[-1]["plain"] + 0.3
    golden = np.mean(likelihood.argmax(1) == labels)
    assert rows[5]["corrected"] == pytest.approx(golden, abs=0.02)


@given(SEEDS, st.integers(1, 6), st.booleans())
def test_winners_are_the_largest_logits(seed, classes, equal_counts):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(20, classes)) * random.choice([0.1, 1, 10])
    counts = random.integers(1, 3 if equal_counts else 500, classes)
    found = e.winners(logits, counts)
    for power in (-3, -1.23, 0, 0.5, 1, 2.99):
        golden = (logits + power * np.log(counts)).argmax(1)
        np.testing.assert_array_equal(found.at(power), golden)
    assert len(found.begins) == len(found.classes) == found.starts[-1]
    inner = found.begins[np.isfinite(found.begins)]
    assert ((inner >= -3) & (inner <= 3)).all()


def test_winners_in_several_parts_and_of_no_image(monkeypatch):
    logits = np.random.default_rng(0).normal(size=(7, 3))
    whole = e.winners(logits, COUNTS)
    monkeypatch.setattr("keras_lt.evaluation.envelope.VALUES", 6)
    for ours, golden in zip(e.winners(logits, COUNTS), whole, strict=True):
        np.testing.assert_array_equal(ours, golden)


def test_of_equal_lines_the_first_class_wins():
    found = e.winners(np.zeros((1, 3)), (5, 5, 5))
    assert found.classes.tolist() == [0]
    # All lines meet in 0: the smallest class before, the largest after it.
    found = e.winners(np.zeros((1, 3)), (9, 3, 1))
    assert found.classes.tolist() == [2, 0]
    assert found.begins.tolist() == [-np.inf, 0]
