"""Metrics for `model.compile(metrics=...)`."""

from keras_lt.metrics.balanced_accuracy import BalancedAccuracy
from keras_lt.metrics.calibration_error import ExpectedCalibrationError
from keras_lt.metrics.shot_accuracy import ShotAccuracy, shot_accuracy_metrics

__all__ = [
    "BalancedAccuracy",
    "ExpectedCalibrationError",
    "ShotAccuracy",
    "shot_accuracy_metrics",
]
