"""Metrics for `model.compile(metrics=...)`."""

from keras_lt.metrics.shot_accuracy import ShotAccuracy, shot_accuracy_metrics

__all__ = [
    "ShotAccuracy",
    "shot_accuracy_metrics",
]
