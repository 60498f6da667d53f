"""What the encoder of a trained model makes of images."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_lt.models import anatomy
from keras_lt.training import predict_logits

Encode = Callable[[Any, np.ndarray], np.ndarray]


def encoding(model: keras.Model, input_shape: tuple[int, ...]) -> Encode:
    """Make a function from images and positions to features.

    Args:
        model: With one encoder, or experts, whose features are joined.
        input_shape: Of the images, `(H, W, channels)`.

    Returns:
        A function from images `(N, H, W, channels)` and positions `(B,)` to
        float32 `(B, D)`.

    Raises:
        ValueError: if the model takes other images, or has no encoder.
    """
    whole = anatomy.body(model)
    wanted = tuple(model.input_shape[1:])
    if wanted != tuple(input_shape):
        raise ValueError(
            f"--encoder takes images of shape {wanted}, these have "
            f"{tuple(input_shape)}; --image_size changes that of files"
        )
    parts = anatomy.features(model)
    if not parts:
        raise ValueError("--encoder: this model has no encoder that is known")
    pooled = [
        keras.ops.mean(part, (1, 2)) if part.ndim == 4 else part
        for part in parts
    ]
    joined = pooled[0]
    if len(pooled) > 1:
        joined = keras.ops.concatenate(pooled, axis=-1)
    encoder = keras.Model(whole.inputs[0], joined)
    return lambda images, index: predict_logits(encoder, images[index])
