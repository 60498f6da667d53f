"""Stages on features of a frozen encoder, which are computed once."""

from typing import Any

import keras

from keras_lt.losses import LogitAdjustedLoss
from keras_lt.methods.stages import start_at_class_means, supervised
from keras_lt.models import anatomy, light_tuning, new_heads
from keras_lt.training import Problem, Stage, freeze


def class_means(name: str, **options: Any) -> Stage:
    """Give a cosine classifier the class means, and train nothing.

    Args:
        name: Of the stage.
        **options: Of `training.Stage`.
    """
    return Stage(
        name=name,
        epochs=0,
        features=new_heads.features,
        solve=start_at_class_means,
        needs=new_heads.features,
        **options,
    )


def adjusted_head(
    name: str, problem: Problem, epochs: int, *, tau: float, **options: Any
) -> Stage:
    """Train a classifier alone under the logit-adjusted loss.

    Args:
        name: Of the stage.
        problem: Has the class counts.
        epochs: Of the stage.
        tau: Exponent of the priors.
        **options: Of `training.Stage`: the optimizer.
    """
    return supervised(
        name,
        epochs,
        loss=LogitAdjustedLoss(problem.class_counts, tau=tau),
        setup=_freeze_encoder,
        features=new_heads.features,
        on_features=light_tuning.on_features,
        **options,
    )


def _freeze_encoder(model: keras.Model) -> keras.Model:
    for encoder in anatomy.encoders(model):
        freeze(encoder, statistics="fixed")
    return model
