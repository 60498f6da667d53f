"""What is measured of a model for `result.json`."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_lt import stats
from keras_lt.data import ImageDataset
from keras_lt.models import anatomy
from keras_lt.runs import routing_cost
from keras_lt.training import Outcome, Recipe, Stage, evaluate
from keras_lt.training.choosing import DIVERGED, has_diverged


def judge(
    model: keras.Model,
    stage: Stage,
    recipe: Recipe,
    dataset: ImageDataset,
    *,
    flip: bool,
    chosen: bool = False,
) -> dict[str, Any]:
    """Judge the model at the end of a stage.

    Args:
        model: The training model.
        stage: Which has ended.
        recipe: Whose stage it is.
        dataset: Its test images, and its validation images if there are any.
        flip: Whether to take the mean of image and mirror image.
        chosen: Whether the run ends with the stage. Candidates of which that
            is not known, all but the first, see no test images.

    Returns:
        Accuracies by group and class, of views as well, norms of class
        vectors, and how many images use how many experts; for candidates
        nothing but `epochs` and `validation_accuracy`.
    """
    serve = recipe.serve(model)
    judged = functools.partial(
        evaluate, class_counts=dataset.class_counts, groups=dataset.groups
    )
    validation = dataset.validation and judged(
        serve, *dataset.validation, flip=flip
    )
    result = {
        "validation_accuracy": validation and validation["accuracy"],
        "epochs": stage.epochs,
    }
    if stage.name in recipe.candidates[1:] and not chosen:
        return result
    result |= judged(serve, *dataset.test, views=recipe.views(model), flip=flip)
    if flip:
        plain = judged(serve, *dataset.test)
        result["accuracy_without_flip"] = plain["accuracy"]
    result["class_norms"] = class_norms(serve, model)
    if anatomy.has_router(model):
        used = routing_cost.count_used(model, dataset.test[0])
        result["experts_used"] = used.tolist()
    return result


def by_stage(
    recipe: Recipe, outcome: Outcome, judge: Callable[..., dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Records of the stages; that of the model that is served comes last.

    Args:
        recipe: With candidates or without. Those that are not chosen are left
            out, see `choice`.
        outcome: Of its run.
        judge: As `judge`, of stage, model, and `chosen` alone.
    """
    records = kept(outcome.records)
    last = records.pop(outcome.stage)
    if outcome.stage in recipe.candidates[1:]:
        stages = {stage.name: stage for stage in recipe.stages}
        last = judge(stages[outcome.stage], outcome.model, chosen=True)
    others = {*recipe.candidates[1:]}
    seen = {n: record for n, record in records.items() if n not in others}
    return {**seen, outcome.stage: last}


def choice(recipe: Recipe, outcome: Outcome) -> dict[str, Any]:
    """What a method that chooses chose, and from what.

    Args:
        recipe: With candidates or without.
        outcome: Of its run.

    Returns:
        `{"choice": {"chosen": name, "candidates": {name: accuracy}}}` with
        accuracies on the validation images, and, if there are any, with
        `"diverged"`, where each candidate did that has diverged; nothing
        without candidates.
    """
    every: dict[str, Any] = {}
    for name in recipe.candidates:
        every[name] = outcome.records.get(name)
    found = {n: r["validation_accuracy"] for n, r in kept(every).items()}
    if not found:
        return {}
    choice = {"chosen": outcome.stage, "candidates": found}
    if lost := {n: r[DIVERGED] for n, r in every.items() if has_diverged(r)}:
        choice[DIVERGED] = lost
    return {"choice": choice}


def kept(records: Mapping[str, Any]) -> dict[str, Any]:
    """Records of the stages that are known, and have not diverged."""
    return {n: r for n, r in records.items() if r and not has_diverged(r)}


def class_norms(*candidates: keras.Model) -> list[float]:
    """Norms of the class vectors, in the mean over all classifiers.

    Args:
        *candidates: Models, of which the first that has classifiers counts.
    """
    heads = next(filter(None, map(anatomy.heads, candidates)))
    kernels = [keras.ops.convert_to_numpy(head.kernel) for head in heads]
    norms = [stats.class_norms(kernel) for kernel in kernels]
    return np.mean(norms, axis=0).tolist()


def count_parameters(model: keras.Model) -> int:
    """Weights, frozen or not, without statistics and random states."""
    kept = (
        variable
        for variable in model.variables
        if not variable.name.startswith("moving_")
        and "float" in str(variable.dtype)
    )
    return sum(int(np.prod(variable.shape)) for variable in kept)


def images_per_second(outcome: Outcome) -> float | None:
    """Training images a second, without compilation and validation."""
    seconds = outcome.spent.get("steps", 0) + outcome.spent.get("input", 0)
    return round(outcome.images / seconds, 1) if outcome.images else None
