"""A plan that all trials and the run after them share."""

import dataclasses

from keras_lt.data import ImageDataset
from keras_lt.runs.budget import PUBLISHED
from keras_lt.runs.planning import planned
from keras_lt.runs.request import Request
from keras_lt.runs.values import hyperparameters
from keras_lt.runs.variants import make_variants


def with_plan(
    request: Request, images: ImageDataset
) -> tuple[Request, ImageDataset]:
    """Plan a run for its minutes, once, and say what the whole search takes.

    Args:
        request: For one run with trials before it.
        images: Those of the trials.

    Returns:
        A request that names all values of the plan and has nothing left to
        plan, and the images at the size that they have in it.
    """
    if request.choice.budget == PUBLISHED:
        return request, images
    (line,) = make_variants(request.choice, request.conditions)
    request, (line,), images = planned(request, [line], images)
    values = hyperparameters(line, images.source.family, request)
    choice = dataclasses.replace(
        request.choice,
        set=tuple(f"{name}={value!r}" for name, value in values.items()),
        budget=PUBLISHED,
        epochs_scale=1.0,
        batch_size=None,
        lr_scaling="none",
    )
    if line.seconds is not None:
        trials, minutes = request.tuning.trials, line.seconds / 60
        print(
            f"{trials} trials and one run, of about {minutes:.2g} minutes each:"
            f" {_clock((trials + 1) * minutes)} at most, as trials that fall "
            "behind end early",
            flush=True,
        )
    return dataclasses.replace(request, choice=choice), images


def _clock(minutes: float) -> str:
    """Minutes, or hours of many."""
    if minutes < 120:
        return f"{minutes:.2g} minutes"
    return f"{minutes / 60:.2g} hours"
