"""Losses on logits, for `model.compile(loss=...)`."""

from keras_lt.losses.class_balanced import ClassBalancedLoss

__all__ = [
    "ClassBalancedLoss",
]
