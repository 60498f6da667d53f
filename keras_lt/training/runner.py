"""The runner: a recipe, stage by stage, with plain `compile` and `fit`."""

import dataclasses
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from keras_lt.callbacks import ShowProgress
from keras_lt.keras_internals import scale_rate, set_random_seed
from keras_lt.training.choosing import Ended
from keras_lt.training.engine.replicas import synchronize_batch_norm
from keras_lt.training.engine.undrawn import undrawn
from keras_lt.training.fitting import fit
from keras_lt.training.optimizing import make_optimizer
from keras_lt.training.recipe import Recipe, Stage
from keras_lt.training.store import Store
from keras_lt.training.teaching import features_loader, soft_labels
from keras_lt.training.transfer import copy_weights, read_weights

Source = Any  # a model, a file, or a function that sets weights


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run leaves.

    Args:
        model: The training model after the last stage, or of the candidate
            that was chosen.
        stage: Name of that stage.
        records: What `on_stage_end` returned, by stage name; of a candidate
            that has diverged, see `choosing.has_diverged`.
        seconds: Time in `fit`, over all stages and interruptions.
        images: Training images seen in that time.
        spent: Seconds by what they went into: `set_up` (building, soft
            labels), `compile`, `input` (waiting for batches), `steps`,
            `validation`, `checkpoints` (metrics and weights), `evaluation`
            (`on_stage_end`).
    """

    model: keras.Model
    stage: str
    records: dict[str, Any]
    seconds: float
    images: int
    spent: dict[str, float]


def run(
    recipe: Recipe,
    loader: Any,
    *,
    seed: int = 0,
    workdir: str | pathlib.Path | None = None,
    on_stage_end: Callable[[Stage, keras.Model], Any] | None = None,
    callbacks: Callable[[Stage], Sequence[keras.callbacks.Callback]] = (
        lambda stage: ()
    ),
    start: tuple[str, Source] | None = None,
    jit_compile: bool | str = "auto",
    steps_per_execution: int | None = 1,
    validation_freq: int = 1,
    checkpoint_seconds: float = 30.0,
    accumulate_steps: int = 1,
    sync_batch_norm: bool = False,
    verbose: bool = True,
) -> Outcome:
    """Train a recipe.

    With a `workdir`, calling it again with the same arguments after a kill
    resumes at the last checkpoint and ends in the same weights. Under a
    tf.distribute strategy, call it in the scope; it and a keras.distribution
    split every batch over their devices.

    Args:
        recipe: What to build and train.
        loader: Gives the batches, a `data.Loader` or what has its methods.
        seed: Of the initial weights, sampling and augmentation.
        workdir: Folder for `checkpoint.npz`, `metrics.jsonl` and the weights
            of each stage, `stages/0-NAME.npz`; None keeps nothing.
        on_stage_end: Called with each finished stage and its model; returns
            JSON data for `Outcome.records`.
        callbacks: Function from a stage to further callbacks.
        start: Name of the stage to begin with, and the weights to begin with,
            found by their names; the stages before it are set up, but not
            trained. The weights are a model with those that the stage needs,
            the file of the stage before it in another run's `workdir`, or a
            function that sets those of the stage's starting model.
        jit_compile: Of `keras.Model.compile`.
        steps_per_execution: Steps of a program, see `fuse_steps`; None for
            what suits the device and the epoch, see `default_steps`.
        validation_freq: Epochs between validations, if there is a split.
        checkpoint_seconds: Least time between two checkpoints.
        accumulate_steps: See `optimizers.SGD`, which the stages then must use.
        sync_batch_norm: See `synchronize_batch_norm`.
        verbose: Whether to show progress.

    Returns:
        An `Outcome`.

    Raises:
        ValueError: if `start` names no stage, or one that carries on with an
            optimizer, or lacks a weight.
    """
    first = _first_stage(recipe, start)
    store = Store(workdir, [stage.name for stage in recipe.stages], first)
    clock = store.clock
    with clock.count("set_up"):
        set_random_seed(seed)
        model, ended = recipe.build(), Ended(recipe)
    images = 0
    for index, stage in enumerate(recipe.stages):
        with clock.count("set_up"):
            previous = ended.before(stage, model)
            if start and index == first:
                _begin(start[1], stage, previous)
            set_random_seed(seed + index)
            model = stage.setup(previous)
            ended.keep(stage, model)
            learner = stage.on_features(model) if stage.on_features else model
            if sync_batch_norm:
                synchronize_batch_norm(model)
            if stage.epochs:
                new = make_optimizer(
                    recipe, index, loader, accumulate_steps=accumulate_steps
                )
                learner.compile(
                    new or model.optimizer,
                    loss=stage.loss,
                    metrics=recipe.metrics(),
                    jit_compile=jit_compile,
                )
                scale_rate(learner.optimizer, store.rate_factor(index))
                # TensorFlow traces a step twice if it makes variables.
                learner.optimizer.build(learner.trainable_variables)
            store.restore(index, model, learner)
        if index >= first:
            images += stage.epochs * loader.images(stage.batching)
        if index < store.index:
            continue
        seen = recipe, stage, model, loader, store.features
        with ended.leaving_out(stage, model, learner, store.check) as left:
            if store.epoch < stage.epochs:
                with clock.count("set_up"):
                    teacher = stage.soft_labels and stage.soft_labels(previous)
                    soft = soft_labels(
                        teacher,
                        loader,
                        store.soft_labels,
                        student=model if store.epoch or store.step else None,
                        verbose=verbose,
                    )
                    source = loader
                    if stage.on_features:
                        source = features_loader(*seen)
                fit(
                    learner,
                    stage,
                    source,
                    store,
                    soft,
                    seed=seed + index,
                    checkpoint_seconds=checkpoint_seconds,
                    steps_per_execution=steps_per_execution,
                    validation_freq=validation_freq,
                    callbacks=[
                        *stage.callbacks(),
                        *callbacks(stage),
                        *([ShowProgress(stage.name)] if verbose else []),
                    ],
                )
            if stage.solve:
                with clock.count("set_up"):
                    found = features_loader(*seen)
                    stage.solve(model, np.asarray(found.pixels), found.labels)
        with clock.count("evaluation"):
            record = left or (on_stage_end and on_stage_end(stage, model))
        store.finish_stage(model, record)
    name, model = ended.choose(model, store.records)
    return Outcome(
        model, name, store.records, store.seconds, images, clock.seconds
    )


def rehearse(
    recipe: Recipe,
    loader: Any,
    *,
    start: tuple[str, Source] | None = None,
) -> None:
    """Build and set up everything without training, to fail before it.

    Args:
        recipe: See `run`.
        loader: See `run`.
        start: See `run`.

    Raises:
        ValueError: as building, setting up, or `run` would.
    """
    first = _first_stage(recipe, start)
    with undrawn():
        model, ended = recipe.build(), Ended(recipe)
        for index, stage in enumerate(recipe.stages):
            model = ended.before(stage, model)
            if start and index == first:
                _begin(start[1], stage, model)
            model = stage.setup(model)
            ended.keep(stage, model)
            if stage.epochs:
                loader.check(
                    stage.batching, soft_labels=stage.soft_labels is not None
                )
                make_optimizer(recipe, index, loader)


def _begin(source: Source, stage: Stage, model: keras.Model) -> None:
    """Give a stage's starting model the weights to begin with."""
    try:
        if isinstance(source, keras.Model):
            copy_weights(source, stage.needs(model))
        elif callable(source):
            source(model)
        else:
            copy_weights(read_weights(source), model)
    except ValueError as error:
        raise ValueError(
            f"weights to start from do not fit: {error}"
        ) from error


def _first_stage(recipe: Recipe, start: tuple[str, Any] | None) -> int:
    """Index of the first stage to train."""
    if start is None:
        return 0
    names = [stage.name for stage in recipe.stages]
    if start[0] not in names:
        raise ValueError(
            f"`start` must name one of the stages {names}, got {start[0]!r}"
        )
    first = names.index(start[0])
    if recipe.stages[first].epochs and recipe.stages[first].optimizer is None:
        raise ValueError(
            f"`start`: stage {start[0]!r} carries on with the optimizer of "
            f"stage {names[first - 1]!r}; start there"
        )
    return first
