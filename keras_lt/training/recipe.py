"""A method as data: what to build, and the stages to train it through."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_lt.checking import checked
from keras_lt.data import Batching, Transform
from keras_lt.training.averages import Average


@checked
@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """What changes between two calls of `compile`.

    Args:
        name: Shown to people, and the name of the weights on disk.
        epochs: Epochs of `fit`; 0 for a stage that only changes weights.
        loss: Loss on the training model's one output.
        optimizer: Function from the steps of an epoch to a new optimizer, or
            None to carry on with the one of the stage before.
        setup: Function from the previous stage's model to the model to train:
            freeze, attach constraints, normalise weights here.
        sampler: Of `batching`, see `data.Batching`; as the next three.
        batch_size: Images a step.
        drop_remainder: Whether to leave out an epoch's last partial batch.
        transforms: What happens to whole batches at last, such as
            `data.Mixup`.
        callbacks: Function that makes the stage's own callbacks.
        two_views: Whether the model's inputs are two views of the images, and
            their labels.
        soft_labels: Function from the previous stage's model to a teacher,
            images to `(B, C)`. Its logits of every training image, as it is
            without augmentation, are written once, and are a second input.
        needs: Function from the previous stage's model to the part of it that
            must find its weights where a run starts with this stage; all of
            it by default.
        solve: Function that sets weights without training: from the model,
            what `features` says of every training image, as it is without
            augmentation, and the labels `(N,)`. It comes after the epochs.
        features: Function from the stage's model to a view, images to
            `(B, ...)`, for `solve` and `on_features`.
        on_features: Function from the stage's model to the part of it that
            learns, on what `features` says of the images, as they are without
            augmentation; all else is frozen. It is what trains, on arrays that
            are computed once and kept on disk. None trains the model on
            images.
        after: Of one of `Recipe.candidates`, the name of the one before it
            that it goes on from; the first by default.
    """

    name: str
    epochs: int
    loss: keras.losses.Loss | str | None = None
    optimizer: Callable[[int], keras.optimizers.Optimizer] | None = None
    setup: Callable[[keras.Model], keras.Model] = lambda model: model
    sampler: Callable[[Any, int, int], Any] = Batching.sampler
    batch_size: int = Batching.batch_size
    drop_remainder: bool = Batching.drop_remainder
    transforms: tuple[Transform, ...] = Batching.transforms
    callbacks: Callable[[], Sequence[keras.callbacks.Callback]] = tuple
    two_views: bool = Batching.two_views
    soft_labels: Callable[[keras.Model], keras.Model] | None = None
    needs: Callable[[keras.Model], keras.Model] = lambda model: model
    solve: Callable[[keras.Model, np.ndarray, np.ndarray], None] | None = None
    features: Callable[[keras.Model], keras.Model] = lambda model: model
    on_features: Callable[[keras.Model], keras.Model] | None = None
    after: str | None = None

    @property
    def batching(self) -> Batching:
        """How the stage's images become batches."""
        fields = dataclasses.fields(Batching)
        return Batching(**{f.name: getattr(self, f.name) for f in fields})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A method applied to one problem.

    Args:
        build: Makes the model of the first stage.
        stages: Trained one after the other; names must differ.
        metrics: Makes the metrics shown during training.
        serve: Function from the training model to the model image -> `(B, C)`
            that is evaluated and exported.
        views: Function from the training model to further models
            image -> `(B, C)` that are judged beside it, by name: experts,
            branches.
        augment: Fields of `data.Augment` in which the method differs from
            the data set's published augmentation, such as
            `{"rotation": 15.0}`.
        second_view: The same for the second view of stages with two views,
            in which it differs from the published augmentation.
        average: Of the weights of every stage that trains, or None. Stages
            that carry on with an optimizer count as one with those before.
        candidates: Names of the last stages, if the run ends with only one of
            them. The first is a stage like those before; each of the others
            goes on from its model, and leaves that as it is; one that
            diverges is left out.
        choose: Function from what `run` keeps of the candidates, by name, to
            the name of the one that the run ends with; by default the first
            in the alphabet.

    Raises:
        ValueError: if there is no stage, two have the same name, or
            `candidates` are not the last ones, or one is to go on from what
            is none before it.
    """

    build: Callable[[], keras.Model]
    stages: tuple[Stage, ...]
    metrics: Callable[[], list[keras.metrics.Metric]] = list
    serve: Callable[[keras.Model], keras.Model] = lambda model: model
    views: Callable[[keras.Model], Mapping[str, keras.Model]] = lambda model: {}
    augment: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    second_view: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    average: Average | None = None
    candidates: tuple[str, ...] = ()
    choose: Callable[[Mapping[str, Any]], str] = min

    def __post_init__(self):
        """Check the stages."""
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) < len(names):
            raise ValueError(
                "`stages` must hold at least one stage, each with its own "
                f"name, got {names}"
            )
        last = tuple(names[len(names) - len(self.candidates) :])
        if self.candidates != last:
            raise ValueError(
                f"`candidates` must be the last of the stages {names}, got "
                f"{self.candidates}"
            )

        for stage in self.stages:
            before = names[: names.index(stage.name)]
            if stage.after and stage.after not in {*last} & {*before}:
                raise ValueError(
                    f"`after` of stage {stage.name!r} must be one of the "
                    f"candidates before it, got {stage.after!r}"
                )

    @property
    def epochs(self) -> int:
        """Epochs over all stages."""
        return sum(stage.epochs for stage in self.stages)
