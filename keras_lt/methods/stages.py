"""Stages that methods share, and those that can follow any method."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal

import keras

from keras_lt.losses import SoftmaxCrossentropy
from keras_lt.methods.settings.shared import Network, SGDSettings
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import classifier, linear_head, new_heads
from keras_lt.samplers import SAMPLERS
from keras_lt.schedules import cosine_rates
from keras_lt.training import Problem, Recipe, Stage, freeze, unfreeze


def supervised(
    name: str,
    epochs: int,
    *,
    loss: keras.losses.Loss | None = None,
    sampler: str = "instance",
    **options: Any,
) -> Stage:
    """Train on labels.

    Args:
        name: Of the stage.
        epochs: Of it.
        loss: Cross entropy by default.
        sampler: Name in `samplers.SAMPLERS`.
        **options: Of `training.Stage`.
    """
    return Stage(
        name=name,
        epochs=epochs,
        loss=loss or SoftmaxCrossentropy(),
        sampler=SAMPLERS[sampler](epochs),
        **options,
    )


def tuned(
    name: str,
    epochs: int,
    *,
    view: Callable[[keras.Model], keras.Model] = lambda model: model,
    chosen: Callable[[keras.Model], Sequence[keras.Layer]] = new_heads.heads,
    statistics: str,
    **options: Any,
) -> Stage:
    """Train a few layers of a model on labels; all others are frozen.

    Args:
        name: Of the stage.
        epochs: Of it.
        view: Function from the previous stage's model to the one to train.
        chosen: Function from that one to the layers that go on learning.
        statistics: Of the frozen batch normalisation: "moving" or "fixed".
        **options: See `supervised`.
    """

    def setup(model: keras.Model) -> keras.Model:
        model = view(model)
        unfreeze(model)
        kept = chosen(model)
        for part in model.layers:
            for layer in getattr(part, "layers", [part]):
                if layer not in kept:
                    freeze(layer, statistics=statistics)
        return model

    return supervised(name, epochs, setup=setup, **options)


def on_one_network(
    problem: Problem, network: Network, *stages: Stage, **options: Any
) -> Recipe:
    """Train one encoder with one linear classifier.

    Args:
        problem: Shape and class counts.
        network: Which encoder.
        *stages: One after the other.
        **options: Of `training.Recipe`.
    """
    head = linear_head(network.backbone)
    return Recipe(
        build=lambda: classifier(
            network.backbone, problem, width=network.width, head=head
        ),
        stages=stages,
        metrics=lambda: shot_accuracy_metrics(problem.class_counts),
        **options,
    )


@dataclasses.dataclass(frozen=True)
class Tuning:
    """How a part of a trained model learns on, on balanced classes.

    Args:
        epochs: Epochs of the stage.
        lr: First learning rate; half a cosine to 0.
        momentum: Of SGD.
        l2: Weight decay, coupled, of what is trained.
        batch_size: Images a step; the method's by default.
        sampler: Name in `samplers.SAMPLERS`.
        statistics: Of the frozen batch normalisation: "moving", on statistics
            of each batch, as released, or "fixed".
    """

    epochs: int = 10
    lr: float = 0.1
    momentum: float = 0.9
    l2: float = 2e-4
    batch_size: int | None = None
    sampler: str = "class"
    statistics: Literal["moving", "fixed"] = "moving"

    def stage(self, name: str, remake: Callable, **options: Any) -> Stage:
        """Stage that tunes what `remake` makes, see `new_heads.remade`."""
        sgd = SGDSettings(self.lr, self.momentum, l2=self.l2)
        return tuned(
            name,
            self.epochs,
            view=lambda model: new_heads.remade(model, remake, name),
            optimizer=sgd.along(cosine_rates(self.lr, self.epochs)),
            batch_size=self.batch_size,
            sampler=self.sampler,
            statistics=self.statistics,
            needs=new_heads.own_heads,
            **options,
        )


RETRAINING = Tuning()
SCALING = Tuning(epochs=5, lr=0.2, l2=5e-4)


def retrain_head(*, tuning: Tuning = RETRAINING) -> Stage:
    """Draw the classifier anew and train it on balanced classes (cRT).

    Args:
        tuning: See `Tuning`.

    Source: Kang et al., ICLR 2020; `facebookresearch/classifier-balancing`.
    Differs from the released code: the rate of the last epoch is not 0; no
        settings were published for CIFAR.
    """
    return tuning.stage("crt", new_heads.redrawn)


def scale_classes(*, tuning: Tuning = SCALING) -> Stage:
    """Learn one factor for each class on balanced classes (LWS).

    Args:
        tuning: See `Tuning`.

    Source: Kang et al., ICLR 2020; `facebookresearch/classifier-balancing`.
    Differs from the released code: the rate of the last epoch is not 0.
    """
    return tuning.stage("lws", new_heads.scaled, chosen=new_heads.scales)


def normalise(*, exponent: float = 1.0, bias: bool = False) -> Stage:
    """Divide each class vector by its norm to a power (tau).

    Args:
        exponent: The power, >= 0: 0 changes nothing, 1 makes all norms equal.
        bias: Whether to keep the biases; left out as published.

    Source: Kang et al., ICLR 2020; `facebookresearch/classifier-balancing`.
    """
    return _without_epochs("tau", new_heads.normalised(exponent, bias))


def nearest_class_mean(
    *, distance: Literal["euclidean", "cosine"] = "euclidean"
) -> Stage:
    """Ask which class mean of the training images is nearest (NCM).

    Args:
        distance: "euclidean" of centered features of length 1, as released,
            or "cosine", see `layers.NearestClassMean`.

    Source: Kang et al., ICLR 2020; `facebookresearch/classifier-balancing`.
    """

    def solve(model: keras.Model, found: Any, labels: Any) -> None:
        heads = new_heads.heads(model)
        found = found.reshape(len(found), len(heads), -1)  # (N, E, D)
        for expert, head in enumerate(heads):
            head.adapt(found[:, expert], labels)

    return _without_epochs(
        "ncm",
        new_heads.nearest_mean(distance),
        solve=solve,
        features=new_heads.features,
    )


def _without_epochs(
    name: str, remake: new_heads.Remake, **options: Any
) -> Stage:
    return Stage(
        name=name,
        epochs=0,
        setup=lambda model: new_heads.remade(model, remake, name),
        needs=new_heads.own_heads,
        **options,
    )
