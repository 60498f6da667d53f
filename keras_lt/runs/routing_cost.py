"""What routed experts cost: how many are asked, operations, seconds."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_lt import models, training
from keras_lt.data import Images
from keras_lt.models import anatomy
from keras_lt.problem import Problem
from keras_lt.runs.timing import medians


def count_used(model: keras.Model, images: Images) -> np.ndarray:
    """Number of images that use 1, 2, ... E experts, `(E,)` ints."""
    used = training.predict(models.experts_used(model), images, batch_size=500)
    experts = len(anatomy.expert_heads(model))
    return np.bincount(used.astype(int), minlength=experts + 1)[1:]


def macs(model: keras.Model) -> np.ndarray:
    """Operations of an image that uses 1, 2, ... E experts, `(E,)`."""
    experts = [
        models.count_macs(encoder) + models.count_macs(head)
        for encoder, head in anatomy.classifiers(model)
    ]
    return models.count_macs(anatomy.trunk(model)) + np.cumsum(experts)


def plain_macs(
    hyperparameters: Mapping[str, Any],
    class_counts: Sequence[int],
    model: keras.Model,
) -> int:
    """Operations of one plain network of the run's backbone and width.

    Args:
        hyperparameters: Of the run.
        class_counts: Its training images per class.
        model: Its model, which knows the shape of an image.
    """
    problem = Problem(model.input_shape[1:], tuple(class_counts))
    backbone, width = (hyperparameters[k] for k in ("backbone", "width"))
    plain = models.classifier(backbone, problem, width=width)
    return models.count_macs(plain)


def seconds(
    model: keras.Model, images: Images, batch_size: int, repeats: int
) -> tuple[float, float]:
    """Median time of gathered and of always-on inference, taken in turn.

    The images are cut to whole batches, so that each form compiles once.
    """
    forms = {"fast": models.gathered(model), "slow": models.ensemble(model)}
    batch_size = min(batch_size, len(images))
    if not isinstance(images, np.ndarray):  # what is timed is not the disk
        images = images[:1024]
    images = images[: len(images) // batch_size * batch_size]
    contenders: dict[str, Callable[[], Any]] = {
        name: functools.partial(
            training.predict, form, images, batch_size=batch_size
        )
        for name, form in forms.items()
    }
    found = medians(contenders, repeats)
    return found["fast"], found["slow"]


def report(
    model: keras.Model,
    images: Images,
    plain_macs: int,
    *,
    batch_size: int = 256,
    repeats: int = 5,
) -> dict[str, Any]:
    """Measure the cost of a routed model on images.

    Args:
        model: Routed.
        images: `(N, H, W, channels)`.
        plain_macs: Operations of one plain network.
        batch_size: For the times.
        repeats: For the times.

    Returns:
        `experts_used` (images by number of experts), `mean_experts`;
        `macs`, `macs_one_expert` and `macs_all_experts` relative to one plain
        network; `seconds_gathered`, `seconds_all_experts` and their `time`
        ratio; the largest difference between the gathered and the masked
        logits, `largest_difference`.
    """
    used = count_used(model, images)
    share = used / used.sum()
    cost = macs(model) / plain_macs
    fast, slow = seconds(model, images, batch_size, repeats)
    part = images[:batch_size]
    ours = models.gathered(model).predict_on_batch(part)["logits"]
    masked = models.early_exit(model).predict_on_batch(part)
    return {
        "experts_used": used.tolist(),
        "mean_experts": float(share @ np.arange(1, len(used) + 1)),
        "macs": float(share @ cost),
        "macs_one_expert": float(cost[0]),
        "macs_all_experts": float(cost[-1]),
        "seconds_gathered": fast,
        "seconds_all_experts": slow,
        "time": fast / slow,
        "largest_difference": float(np.abs(np.asarray(ours) - masked).max()),
    }
