"""Hyperparameters of a run, from all that has a say in them."""

from collections.abc import Mapping
from typing import Any

from keras_lt.devices import replicas
from keras_lt.runs.preparation import batch_sizes
from keras_lt.runs.request import Request
from keras_lt.runs.variants import Variant


def hyperparameters(
    variant: Variant, family: str, request: Request
) -> dict[str, Any]:
    """Values of all hyperparameters of a line.

    They come from defaults, preset and variants, its plan, `--set`, and other
    flags, in this order.

    Args:
        variant: The line.
        family: Of the data set.
        request: With the flags.

    Raises:
        ValueError: if a batch does not divide over the devices.
    """
    choice, method = request.choice, variant.method
    published = method.published(family, variant.settings)
    values = {**published, **variant.planned, **variant.settings}
    if choice.batch_size is not None:
        values["batch_size"] = choice.batch_size
    if choice.lr_scaling == "linear":
        factor = values["batch_size"] / published["batch_size"]
        for name in published:
            if name.split("_")[-1] == "lr" and name not in variant.settings:
                values[name] *= factor
    factor = choice.epochs_scale * variant.epochs_factor
    values = method.scale_epochs(values, factor)
    _check_parts(values, request.conditions.accumulate_steps)
    return values


def _check_parts(values: Mapping[str, Any], parts: int) -> None:
    for name, size in batch_sizes(values).items():
        if size % (parts * replicas()):
            raise ValueError(
                f"{name} {size} does not divide over {replicas()} devices "
                f"and --accumulate_steps={parts}"
            )
