"""One stage on one compiled model."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_lt.devices import local_replicas, tf_strategy
from keras_lt.keras_internals import build_from
from keras_lt.preemption import at_step_boundaries
from keras_lt.training.clock import TimeFit
from keras_lt.training.engine.steps import (
    default_steps,
    fuse_steps,
    shortened,
)
from keras_lt.training.engine.together import current
from keras_lt.training.recipe import Stage
from keras_lt.training.saving import GoOn, SaveProgress
from keras_lt.training.store import Store


def fit(
    model: keras.Model,
    stage: Stage,
    loader: Any,
    store: Store,
    soft: tuple[np.ndarray | None, np.ndarray | None],
    *,
    seed: int,
    checkpoint_seconds: float,
    callbacks: Sequence[keras.callbacks.Callback],
    **how: Any,
) -> None:
    """Train a compiled model for the epochs that are left of a stage.

    Args:
        model: Set up for the stage.
        stage: What to train.
        loader: A `data.Loader`.
        store: Says how far the stage is, and keeps that.
        soft: Soft labels of training and validation, see `soft_labels`.
        seed: Of the batches.
        checkpoint_seconds: See `SaveProgress`.
        callbacks: Further ones.
        **how: See `_fit`.
    """
    steps = loader.steps(stage.batching)

    def train(first_step, *more):
        within = {"first_step": first_step} if first_step else {}
        with store.clock.count("set_up"):
            feed = loader.feed(
                stage.batching, seed, store.epoch, soft[0], **within
            )
            validation = loader.validate(stage.batching, soft[1])
        if first_step:  # metrics are to be restored
            build_from(model, feed.example())
        own = SaveProgress(store, checkpoint_seconds, steps)
        timed = TimeFit(store.clock, feed)
        with at_step_boundaries():
            _fit(
                model,
                stage,
                loader,
                feed,
                validation,
                first_epoch=store.epoch,
                first_step=first_step,
                callbacks=[*callbacks, timed, own, *more],
                **how,
            )

    if store.step:  # an epoch has as many steps as `fit` began with
        train(store.step, GoOn(store))
    if store.epoch < stage.epochs:
        train(0)


def _fit(
    model: keras.Model,
    stage: Stage,
    loader: Any,
    feed: Any,
    validation: Any,
    *,
    first_epoch: int,
    first_step: int,
    steps_per_execution: int | None,
    **how: Any,
) -> None:
    """Call `fit`.

    Args:
        model: Set up for the stage.
        stage: What to train.
        loader: A `data.Loader`.
        feed: The batches, of `loader.feed`.
        validation: Of `loader.validate`.
        first_epoch: Epochs that are done.
        first_step: Steps of the next epoch that are done.
        steps_per_execution: Steps of a program; None for `default_steps`.
        **how: Further arguments of `keras.Model.fit`.
    """
    steps = loader.steps(stage.batching)
    whole_batches = loader.images(stage.batching) // stage.batch_size
    fused = steps_per_execution or default_steps(whole_batches)
    if fused > 1 or feed.in_step or current() or tf_strategy():
        fused = shortened(fused, steps)  # as where no step is done
        left = steps - first_step
        fuse_steps(model, fused, steps_per_epoch=left, data=feed)
    model.fit(
        feed.batches,
        steps_per_epoch=steps - first_step,
        initial_epoch=first_epoch,
        shuffle=False,
        epochs=stage.epochs,
        validation_data=validation,
        validation_steps=getattr(loader, "validation_steps", None),
        validation_batch_size=_validation_batch(validation),
        verbose=0,
        **how,
    )


def _validation_batch(validation):
    """Images of a batch of arrays: up to 500, and whole on every device."""
    devices = len(local_replicas())
    on_host = isinstance(validation, keras.utils.PyDataset)
    if devices == 1 or validation is None or on_host or tf_strategy():
        return None if on_host else 500
    images = len(validation[1])
    if images % devices:
        raise ValueError(
            f"`validation`: {images} images do not divide over {devices} "
            "devices"
        )
    return 500 // devices * devices
