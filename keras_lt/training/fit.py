"""One stage on one compiled model."""

from typing import Any

import keras
import numpy as np

from keras_lt.devices import local_replicas, tf_strategy
from keras_lt.training.recipe import Stage
from keras_lt.training.steps import default_steps, fuse_steps
from keras_lt.training.together import current


def fit(
    model: keras.Model,
    stage: Stage,
    loader: Any,
    soft: tuple[np.ndarray | None, np.ndarray | None],
    *,
    seed: int,
    first_epoch: int,
    steps_per_execution: int | None,
    **how: Any,
) -> None:
    """Train a compiled model for the epochs that are left of a stage.

    Args:
        model: Set up for the stage.
        stage: What to train.
        loader: Gives the batches.
        soft: Soft labels of the training and the validation images.
        seed: Of sampling and augmentation.
        first_epoch: Epochs that are done.
        steps_per_execution: Steps of a program; None for `default_steps`.
        **how: Further arguments of `keras.Model.fit`.
    """
    soft_labels, soft_validation = soft
    steps = loader.steps(stage)
    data = loader.on_device(stage, soft_labels)
    validation = loader.validate(stage, soft_validation)
    whole_batches = loader.images(stage) // stage.batch_size
    fused = steps_per_execution or default_steps(whole_batches)
    if fused > 1 or data or current() or tf_strategy():
        fuse_steps(model, fused, steps_per_epoch=steps, data=data)
    model.fit(
        loader.train(stage, seed, first_epoch, soft_labels),
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
