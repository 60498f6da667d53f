"""Layers for a user's own models."""

from keras_lt.layers.zero_pad_shortcut import ZeroPadShortcut

__all__ = [
    "ZeroPadShortcut",
]
