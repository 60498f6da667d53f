"""What a forward pass costs."""

from typing import Any

import keras
import numpy as np

from keras_lt.layers import CosineClassifier


def count_macs(layer: Any) -> int:
    """Multiply-accumulate operations of one image, as `thop` counts them.

    Convolutions and dense layers without their biases, cosine classifiers as
    D * C + D, and two operations for each value that batch normalisation
    puts out. The rest is counted as free.

    Args:
        layer: A built functional model, or a layer called once.

    Example:
        >>> from keras_lt.models import resnet_cifar
        >>> count_macs(resnet_cifar((32, 32, 3), depth=32))
        69468160

    Source: `Lyken17/pytorch-OpCounter`, as used by
        `frank-xwang/RIDE-LongTailRecognition`.
    """
    if isinstance(layer, keras.Model):
        # A shared layer is called, and counts, once for each of its nodes.
        return sum(count_macs(inner) for inner in layer.layers)
    if isinstance(layer, keras.layers.Conv2D):
        return int(
            np.prod(layer.kernel.shape[:3]) * np.prod(layer.output.shape[1:])
        )
    if isinstance(layer, keras.layers.BatchNormalization):
        return int(2 * np.prod(layer.output.shape[1:]))
    if isinstance(layer, keras.layers.Dense):
        return int(np.prod(layer.kernel.shape))
    if isinstance(layer, CosineClassifier):
        features, classes = layer.kernel.shape
        return features * classes + features
    return 0
