"""Stages that methods share, and what those that follow are made of."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np

from keras_lt.callbacks import ProjectWeights
from keras_lt.layers import class_means
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


def start_at_class_means(
    model: keras.Model, found: np.ndarray, labels: np.ndarray
) -> None:
    """Give each cosine classifier of a model the class means, of length 1.

    Args:
        model: Its classifiers are changed in place.
        found: What `new_heads.features` says of the training images.
        labels: Their class ids `(N,)`; each class must have one.
    """
    for head, own in new_heads.with_own_features(model, found):
        means = class_means(own, labels, head.num_classes)  # (D, C)
        norms = np.linalg.norm(means, axis=0)
        head.kernel.assign(means / np.maximum(norms, 1e-12))


def constrained(
    layers: Callable[[keras.Model], Mapping[str, Sequence[keras.Layer]]],
    constraint: Callable[[keras.Layer], Callable | None],
    clock: str,
) -> dict[str, Any]:
    """Arguments of `tuned` for layers whose kernels are kept in bounds.

    Args:
        layers: Function from the model to train to those that go on learning,
            by the path of a first one, which has the kernel.
        constraint: Function from such a first layer, as it is at the start,
            to its kernel's constraint; None for none.
        clock: When it applies: once an "epoch", or after every "step".

    Returns:
        `chosen` and `callbacks`.
    """
    constraints = {}  # by path, known once the features are trained

    def chosen(model):
        found = layers(model)
        for path, (layer, *_) in found.items():
            constraints[path] = constraint(layer)
            if clock == "step":
                layer.kernel.constraint = constraints[path]
        return [layer for group in found.values() for layer in group]

    def callbacks():
        return [
            ProjectWeights(each, layer=path)
            for path, each in constraints.items()
            if each and clock == "epoch"
        ]

    return {"chosen": chosen, "callbacks": callbacks}


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
        metrics=lambda: shot_accuracy_metrics(
            problem.class_counts, groups=problem.groups
        ),
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

    def stage(
        self,
        name: str,
        remake: new_heads.Remake,
        *,
        shift: int = 0,
        rate_factors: Mapping[str, float] | None = None,
        **options: Any,
    ) -> Stage:
        """Stage that tunes what `remake` makes, see `new_heads.remade`.

        Args:
            name: Of the stage.
            remake: Makes its classifiers.
            shift: Of `schedules.cosine_rates`.
            rate_factors: Of `optimizers.SGD`.
            **options: See `tuned`.
        """
        rates = cosine_rates(self.lr, self.epochs, shift=shift)
        sgd = SGDSettings(self.lr, self.momentum, l2=self.l2)
        return tuned(
            name,
            self.epochs,
            view=lambda model: new_heads.remade(model, remake, name),
            optimizer=sgd.along(rates, rate_factors=rate_factors),
            batch_size=self.batch_size,
            sampler=self.sampler,
            statistics=self.statistics,
            needs=new_heads.own_heads,
            **options,
        )
