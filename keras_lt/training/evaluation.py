"""Accuracy of a serving model on arrays of images."""

from typing import Any

import keras
import numpy as np

from keras_lt import stats


def predict_logits(
    model: keras.Model,
    images: np.ndarray,
    *,
    batch_size: int = 500,
    flip: bool = False,
) -> np.ndarray:
    """Logits of all images, optionally averaged over a horizontal flip.

    Args:
        model: Pixels `(B, H, W, channels)` to logits `(B, C)`.
        images: `(N, H, W, channels)`.
        batch_size: Images at a time.
        flip: Whether to average the logits of each image and of its mirror
            image (test-time augmentation).

    Returns:
        float32 `(N, C)`.
    """
    options = {"batch_size": min(batch_size, len(images)), "verbose": 0}
    logits = np.asarray(model.predict(images, **options), "float32")
    if flip:
        mirrored = np.ascontiguousarray(images[:, :, ::-1])
        logits = (logits + model.predict(mirrored, **options)) / 2
    return logits


def evaluate(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    class_counts: tuple[int, ...],
    *,
    flip: bool = False,
) -> dict[str, Any]:
    """Accuracy overall, by shot group, and by class.

    Args:
        model: Pixels `(B, H, W, channels)` to logits `(B, C)`.
        images: `(N, H, W, channels)`.
        labels: Class ids `(N,)`.
        class_counts: *Training* images per class, length C.
        flip: See `predict_logits`.

    Returns:
        `{"accuracy": {"overall", "many", "medium", "few"}, "class_accuracy"}`
        as fractions; a group without classes is absent, a class without
        images None.
    """
    predictions = predict_logits(model, images, flip=flip).argmax(-1)
    by_class = stats.class_accuracies(predictions, labels, len(class_counts))
    return {
        "accuracy": stats.shot_accuracies(predictions, labels, class_counts),
        "class_accuracy": [
            None if np.isnan(value) else float(value) for value in by_class
        ],
    }
