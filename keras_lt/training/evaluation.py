"""Accuracy of a serving model on arrays of images."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_lt import stats
from keras_lt.data import Images
from keras_lt.names import reserve_names
from keras_lt.training.engine.replicas import predict_on_batch


def predict_logits(
    model: keras.Model,
    images: Images,
    *,
    batch_size: int | None = None,
    flip: bool = False,
) -> np.ndarray:
    """Logits of all images, optionally averaged over a horizontal flip.

    Args:
        model: Pixels `(B, H, W, channels)` to logits `(B, C)`, or to anything
            else of a row an image.
        images: `(N, H, W, channels)`, an array or `data.ImageFiles`.
        batch_size: Images at a time; by default as many as 500 small ones
            have values.
        flip: Whether to average the logits of each image and of its mirror
            image (test-time augmentation).

    Returns:
        float32 `(N, C)`.
    """
    if batch_size is None:
        batch_size = int(np.clip(10**7 // np.prod(images.shape[1:]), 16, 500))
    logits = predict(model, images, batch_size=batch_size)
    if flip:
        mirrored = predict(model, images, batch_size=batch_size, flip=True)
        logits = (logits + mirrored) / 2
    return logits


def predict(
    model: keras.Model,
    images: Images,
    *,
    batch_size: int,
    flip: bool = False,
) -> Any:
    """Outputs of a model for all images, as numpy arrays, by all replicas.

    As `model.predict` does, but without tf.data: its tuning thread can hold up
    the end of an iteration for as long as the iteration took.

    Args:
        model: Its inputs are images.
        images: `(N, H, W, channels)`.
        batch_size: Images at a time.
        flip: Whether to predict the mirror images.
    """
    parts = []
    for start in range(0, len(images), batch_size):
        part = images[start : start + batch_size]
        part = np.ascontiguousarray(part[:, :, ::-1]) if flip else part
        parts.append(predict_on_batch(model, part))
    return keras.tree.map_structure(
        lambda *arrays: np.concatenate([np.asarray(a) for a in arrays]), *parts
    )


def evaluate(
    model: keras.Model,
    images: Images,
    labels: np.ndarray,
    class_counts: tuple[int, ...],
    *,
    groups: str = "shots",
    flip: bool = False,
    views: Mapping[str, keras.Model] | None = None,
) -> dict[str, Any]:
    """Accuracy overall, by group, and by class.

    Args:
        model: Pixels `(B, H, W, channels)` to logits `(B, C)`.
        images: `(N, H, W, channels)`.
        labels: Class ids `(N,)`.
        class_counts: *Training* images per class, length C.
        groups: `"shots"` or `"thirds"`, see `groups.class_groups`.
        flip: See `predict_logits`.
        views: Further models of that kind with the same inputs, by name; they
            are judged in the same pass over the images.

    Returns:
        `{"accuracy", "class_accuracy"}` as fractions, the first by the names
        of `stats.shot_accuracies`; a class without images is None. With
        `views` also their accuracies, `{"views": {name: accuracy}}`.
    """
    views = views or {}
    together = model
    if views:
        every = (model, *views.values())
        for view in every:
            reserve_names(view)
        outputs = [view.outputs[0] for view in every]
        together = keras.Model(model.inputs, keras.ops.stack(outputs, axis=1))
    logits = predict_logits(together, images, flip=flip)
    logits = logits.reshape(len(logits), 1 + len(views), -1)  # (N, 1 + V, C)
    predictions, *others = logits.argmax(-1).T
    known = labels, class_counts, groups
    by_class = stats.class_accuracies(predictions, labels, len(class_counts))
    result = {
        "accuracy": stats.shot_accuracies(predictions, *known),
        "class_accuracy": [
            None if np.isnan(value) else float(value) for value in by_class
        ],
    }
    if views:
        result["views"] = {
            name: stats.shot_accuracies(other, *known)
            for name, other in zip(views, others, strict=True)
        }
    return result
