"""What routed experts cost: how many are asked, operations, seconds."""

import keras
import numpy as np
from timing import medians

from keras_lt import data, models, training


def has_router(model: keras.Model) -> bool:
    """Whether the model is routed."""
    return any(layer.name == "router" for layer in model.layers)


def count_used(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Number of images that use 1, 2, ... E experts, `(E,)` ints."""
    used = training.predict(models.experts_used(model), images, batch_size=500)
    experts = len(models.expert_heads(model))
    return np.bincount(used.astype(int), minlength=experts + 1)[1:]


def macs(model: keras.Model) -> np.ndarray:
    """Operations of an image that uses 1, 2, ... E experts, `(E,)`."""
    heads = models.expert_heads(model)
    experts = [
        models.count_macs(head)
        + models.count_macs(model.get_layer(head.name.removesuffix("_head")))
        for head in heads
    ]
    return models.count_macs(model.get_layer("trunk")) + np.cumsum(experts)


def plain_macs(hyperparameters: dict, dataset: data.ImageDataset) -> int:
    """Operations of one plain network of the run's backbone and width."""
    problem = training.Problem(dataset.input_shape, dataset.class_counts)
    backbone, width = (hyperparameters[k] for k in ("backbone", "width"))
    plain = models.classifier(backbone, problem, width=width)
    return models.count_macs(plain)


def seconds(
    model: keras.Model, images: np.ndarray, batch_size: int, repeats: int
) -> tuple[float, float]:
    """Median time of gathered and of always-on inference, taken in turn.

    The images are cut to whole batches, so that each form compiles once.
    """
    forms = {"fast": models.gathered(model), "slow": models.ensemble(model)}
    batch_size = min(batch_size, len(images))
    if not isinstance(images, np.ndarray):  # what is timed is not the disk
        images = images[:1024]
    images = images[: len(images) // batch_size * batch_size]
    contenders = {
        name: lambda form=form: training.predict(
            form, images, batch_size=batch_size
        )
        for name, form in forms.items()
    }
    found = medians(contenders, repeats)
    return found["fast"], found["slow"]


def report(
    model: keras.Model,
    images: np.ndarray,
    plain_macs: int,
    *,
    batch_size: int = 256,
    repeats: int = 5,
) -> dict:
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
