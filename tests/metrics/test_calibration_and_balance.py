import numpy as np
import pytest

from keras_lt import evaluation
from keras_lt.metrics import BalancedAccuracy, ExpectedCalibrationError


def batches(seed=0):
    """Labels and logits of three batches, in which class 5 has no image."""
    random = np.random.default_rng(seed)
    for _ in range(3):
        labels = random.integers(0, 5, 40)
        hints = 2 * np.eye(6)[labels]
        yield labels, (random.normal(size=(40, 6)) + hints).astype("float32")


def test_batches_add_up_to_the_numpy_numbers():
    metrics = BalancedAccuracy(6), ExpectedCalibrationError(6)
    for labels, logits in batches():
        for metric in metrics:
            metric.update_state(labels[:, None], logits)
    labels, logits = map(np.concatenate, zip(*batches(), strict=True))
    counts = evaluation.tally(logits.argmax(1), labels, 6)
    p = evaluation.softmax(logits)
    goldens = (
        evaluation.balanced_accuracy(counts),
        evaluation.expected_calibration_error(p, labels),
    )
    for metric, golden in zip(metrics, goldens, strict=True):
        assert 0.05 < golden < 0.95
        assert float(metric.result()) == pytest.approx(golden, rel=1e-5)
        metric.reset_state()
        assert float(metric.result()) == 0


def test_the_rarest_class_counts_as_much():
    labels, logits = [0] * 9 + [1], np.eye(2)[[0] * 10]
    metric = BalancedAccuracy(2)
    metric.update_state(labels, logits)
    assert float(metric.result()) == pytest.approx(0.5)
    metric.update_state([1], np.eye(2)[[1]], sample_weight=[3.0])
    assert float(metric.result()) == pytest.approx((1 + 0.75) / 2)


def test_views_and_weights_of_calibration():
    """The mean of two views is half sure; one of two weighs three times."""
    views = np.array([[[5.0, 0], [0, 5]]] * 2)
    metric = ExpectedCalibrationError(2)
    metric.update_state([0, 1], views, sample_weight=[3, 1])
    assert float(metric.result()) == pytest.approx(0.25)  # 0.75 right
    first = ExpectedCalibrationError(2, num_views=1, bins=2)
    first.update_state([0, 1], views)
    sure = 1 / (1 + np.exp(-5.0))
    assert float(first.result()) == pytest.approx(sure - 0.5, rel=1e-5)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`num_classes` must be >= 1, got 0"):
        BalancedAccuracy(0)
    with pytest.raises(ValueError, match="`bins` must be >= 1, got 0"):
        ExpectedCalibrationError(3, bins=0)
