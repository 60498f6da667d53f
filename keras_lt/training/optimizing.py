"""What moves the weights of a stage."""

from typing import Any

import keras

from keras_lt.training.recipe import Recipe


def make_optimizer(
    recipe: Recipe, index: int, loader: Any, *, accumulate_steps: int = 1
) -> keras.optimizers.Optimizer | None:
    """Make the optimizer of a stage; None if it carries on with one.

    Args:
        recipe: With the average of the weights that it wants.
        index: Of the stage, which has epochs.
        loader: A `data.Loader`, which knows the steps of epochs.
        accumulate_steps: See `optimizers.SGD`.

    Raises:
        ValueError: if the optimizer cannot do what is asked for, or there are
            too few steps for an average.
    """
    stage = recipe.stages[index]
    if stage.optimizer is None:
        return None
    made = stage.optimizer(loader.steps(stage.batching))
    asked: dict[str, Any] = {}
    if accumulate_steps > 1:
        asked["accumulate_steps"] = accumulate_steps
    if recipe.average:
        asked |= recipe.average.arguments(*_steps(recipe, index, loader))
    for name, value in asked.items():
        if not hasattr(made, name):
            raise ValueError(
                f"`{name}` needs `optimizers.SGD` in stage {stage.name!r}, "
                f"got {made!r}"
            )
        setattr(made, name, value)
    return made


def _steps(recipe, index, loader):
    """Steps of an optimizer, in all stages that have it, and the last epoch."""
    total = last = 0
    for number, stage in enumerate(recipe.stages[index:]):
        if number and stage.optimizer is not None:
            break
        if stage.epochs:
            last = loader.steps(stage.batching)
            total += stage.epochs * last
    return total, last
