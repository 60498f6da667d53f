"""The recipe and the batches of a run."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from keras_lt.data import ImageDataset, Loader
from keras_lt.methods import Method
from keras_lt.problem import Problem
from keras_lt.runs import augmentation
from keras_lt.runs.config import RunConfig
from keras_lt.runs.folder import RunFolder
from keras_lt.training import Average, Recipe


def make_recipe(
    method: Method, config: RunConfig, dataset: ImageDataset
) -> Recipe:
    """Make a recipe, which sees the parts of batches that are computed.

    Args:
        method: With the stages that follow.
        config: Of the run.
        dataset: Its images.

    Raises:
        ValueError: if its teacher is missing.
    """
    values, parts = config.hyperparameters, config.accumulate_steps
    sizes = {n: size // parts for n, size in batch_sizes(values).items()}
    problem = Problem(
        dataset.input_shape,
        dataset.class_counts,
        dataset.source.pixel_mean,
        dataset.source.pixel_std,
        groups=dataset.groups,
    )
    recipe = method(problem, **{**values, **sizes, **_teacher(values)})
    if config.average:
        average = Average(
            config.average, config.average_momentum, config.average_from
        )
        recipe = dataclasses.replace(recipe, average=average)
    return _mixed(recipe, config.augment, problem.num_classes)


def _teacher(values: Mapping[str, Any]) -> dict[str, Any]:
    """A function that loads the teacher, if the hyperparameters name one."""
    if values.get("distill_from") is None:
        return {}
    folder = RunFolder(values["distill_from"])
    if not folder.model_file.exists():
        raise ValueError(
            "`distill_from` must be the folder of a finished run, but "
            f"{folder.model_file} is missing"
        )
    return {"distill_from": folder.model}


def _mixed(
    recipe: Recipe, specifications: Sequence[str], num_classes: int
) -> Recipe:
    """A recipe whose first stage mixes what `--augment` asks it to mix."""
    found = augmentation.transforms(specifications, num_classes)
    if not found:
        return recipe
    first, *rest = recipe.stages
    first = dataclasses.replace(first, transforms=found)
    return dataclasses.replace(recipe, stages=(first, *rest))


def make_loader(
    recipe: Recipe, config: RunConfig, dataset: ImageDataset, kind: str | None
) -> Loader:
    """Make what makes the batches of a run.

    Args:
        recipe: Which says how its images are augmented.
        config: Of the run.
        dataset: Its images.
        kind: Where batches are made, see `data.Loader`.
    """
    published = dataset.source.augment
    return Loader(
        dataset.train,
        validation=dataset.validation,
        augment=augmentation.parse(
            config.augment,
            dataclasses.replace(published, **recipe.augment),
            seed=config.seed,
        ),
        second_view=dataclasses.replace(published, **recipe.second_view),
        kind=kind,
    )


def batch_sizes(values: Mapping[str, Any]) -> dict[str, int]:
    """Batch sizes among hyperparameters, by name."""
    return {
        name: value
        for name, value in values.items()
        if name.endswith("batch_size") and value is not None
    }
