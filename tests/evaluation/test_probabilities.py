"""Calibration, and measures of one image."""

import numpy as np
import pytest
from hypothesis import given
from same_examples import SEEDS
from sklearn import metrics as theirs

from keras_lt import evaluation as e

COUNTS = (150, 101, 60, 20, 10, 5)


def drawn(seed, number=50, classes=6):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, number)
    logits = random.normal(size=(number, classes)) + np.eye(classes)[labels]
    return logits, labels


def test_calibration_error_of_the_card():
    """MiSLAS in the project's method cards: .31333333."""
    labels = np.array([0, 1, 2, 1, 0, 2])
    predictions = np.array([0, 1, 1, 1, 2, 2])
    confidence = np.array([0.9, 0.8, 0.55, 0.62, 0.35, 0.7])
    rest = (1 - confidence)[:, None] / 2
    probabilities = np.where(
        np.eye(3)[predictions] > 0, confidence[:, None], rest
    )
    error = e.expected_calibration_error(probabilities, labels)
    assert error == pytest.approx(0.31333333, abs=1e-8)


def test_bins_hold_their_upper_border():
    probabilities = np.array([[0.8, 0.2], [0.6, 0.4], [1.0, 0.0]])
    found = e.reliability(probabilities, np.array([0, 1, 1]), bins=5)
    np.testing.assert_array_equal(found.images, [0, 0, 1, 1, 1])
    np.testing.assert_allclose(found.confidence[2:], [0.6, 0.8, 1])
    np.testing.assert_allclose(found.accuracy[2:], [0, 1, 0])
    assert np.isnan(found.accuracy[:2]).all()


@given(SEEDS)
def test_single_values_equal_scikit_learn(seed):
    logits, labels = drawn(seed)
    probabilities = e.softmax(logits)
    classes = np.arange(6)
    assert e.log_losses(probabilities, labels).mean() == pytest.approx(
        theirs.log_loss(labels, probabilities, labels=classes)
    )
    for top in (1, 2, 5, 6, 9):
        found = e.hits(probabilities, labels, top=top).mean()
        assert found == pytest.approx(
            theirs.top_k_accuracy_score(
                labels, probabilities, k=min(top, 6), labels=classes
            )
            if top < 6
            else 1.0
        )
    one_hot = np.eye(6)[labels]
    golden = np.square(probabilities - one_hot).sum(1)
    np.testing.assert_allclose(e.brier_scores(probabilities, labels), golden)


def test_of_ties_the_first_class_is_the_answer():
    scores, labels = np.full((3, 3), 1 / 3), np.arange(3)
    for top in (1, 2, 3):
        found = e.hits(scores, labels, top=top)
        np.testing.assert_array_equal(found, np.arange(3) < top)
    np.testing.assert_array_equal(
        e.hits(scores, labels), scores.argmax(1) == labels
    )


def test_a_model_that_knows_its_limits_is_calibrated():
    """Of images with 4 classes in 3 shares, right as often as it says."""
    probabilities = np.tile([0.75, 0.25], (4, 1))
    labels = np.array([0, 0, 0, 1])
    error = e.expected_calibration_error(probabilities, labels)
    assert error == pytest.approx(0)
    assert e.brier_scores(probabilities, labels).mean() == pytest.approx(0.375)


def test_the_temperature_is_the_one_that_logits_were_scaled_by():
    random = np.random.default_rng(0)
    logits = 2 * random.normal(size=(4000, 3))
    chances = e.softmax(logits).cumsum(1)
    labels = (random.random((4000, 1)) > chances).sum(1)
    for factor in (0.5, 1.0, 3.0):
        found = e.fit_temperature(factor * logits, labels)
        assert found == pytest.approx(factor, rel=0.1)
    sure = e.expected_calibration_error(e.softmax(3 * logits), labels)
    cooled = e.expected_calibration_error(e.softmax(logits), labels)
    assert cooled < sure / 3


def test_weights_are_repetitions():
    logits, labels = drawn(1)
    times = np.random.default_rng(1).integers(0, 4, len(labels))
    rows = np.repeat(np.arange(len(labels)), times)
    p = e.softmax(logits)
    one = e.measures(p, labels, COUNTS, weights=times)
    other = e.measures(p[rows], labels[rows], COUNTS)
    assert one == pytest.approx(other)
    both = e.measures(p, labels, COUNTS, weights=np.stack([times, times]))
    for name, values in both.items():
        assert values == pytest.approx([one[name]] * 2)


def test_the_summary_has_what_there_is():
    logits, labels = drawn(2)
    found = e.measures(e.softmax(logits), labels, COUNTS)
    own = {"head", "body", "tail"}
    assert list(found) == [name for name in e.NAMES if name not in own]
    thirds = e.measures(e.softmax(logits), labels, COUNTS, groups="thirds")
    assert own == set(thirds) - set(found)
    counts = e.tally(logits.argmax(1), labels, 6)
    assert found["balanced"] == e.balanced_accuracy(counts)
    assert found["worst_class"] == e.worst_class(counts)
    few = e.measures(e.softmax(logits[:, :4]), labels % 4, (50, 50, 50, 50))
    assert set(e.NAMES) - set(few) == {
        *("many", "few", "head_tail", "top_5"),
        *own,
    }


def test_bad_arguments():
    p = np.full((2, 2), 0.5)
    with pytest.raises(ValueError, match=r"\(N, C\) and `labels` \(N,\)"):
        e.measures(p, np.array([0]), (1, 1))
    with pytest.raises(ValueError, match="sum to 1 .* `softmax` makes them"):
        e.measures(2 * p, np.array([0, 1]), (1, 1))
    with pytest.raises(ValueError, match="each of 2 classes, got 3"):
        e.measures(p, np.array([0, 1]), (1, 1, 1))
    with pytest.raises(ValueError, match="`bins` must be >= 1"):
        e.reliability(p, np.array([0, 1]), bins=0)
