"""One stage on one compiled model."""

from typing import Any

import keras

from keras_lt.devices import local_replicas, tf_strategy
from keras_lt.training.engine.steps import default_steps, fuse_steps
from keras_lt.training.engine.together import current
from keras_lt.training.recipe import Stage


def fit(
    model: keras.Model,
    stage: Stage,
    loader: Any,
    feed: Any,
    validation: Any,
    *,
    first_epoch: int,
    steps_per_execution: int | None,
    **how: Any,
) -> None:
    """Train a compiled model for the epochs that are left of a stage.

    Args:
        model: Set up for the stage.
        stage: What to train.
        loader: A `data.Loader`.
        feed: The batches, of `loader.feed`.
        validation: Of `loader.validate`.
        first_epoch: Epochs that are done.
        steps_per_execution: Steps of a program; None for `default_steps`.
        **how: Further arguments of `keras.Model.fit`.
    """
    steps = loader.steps(stage.batching)
    whole_batches = loader.images(stage.batching) // stage.batch_size
    fused = steps_per_execution or default_steps(whole_batches)
    if fused > 1 or feed.in_step or current() or tf_strategy():
        fuse_steps(model, fused, steps_per_epoch=steps, data=feed)
    model.fit(
        feed.batches,
        steps_per_epoch=steps,
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
