"""Index stream to batches: on tf.data, without TensorFlow, on the device."""

import dataclasses
import sys
from typing import Any

import numpy as np

from keras_lt.data.pipeline import grain_streams, tf_streams
from keras_lt.data.pipeline.assembler import Assembler
from keras_lt.data.pipeline.batching import Batching
from keras_lt.data.pipeline.feed import Feed, Numbered
from keras_lt.data.pipeline.kinds import (
    check_finite,
    check_kind,
    distributed,
    on_tf_data,
    suitable_kind,
)
from keras_lt.data.pipeline.plan import Images, Plan
from keras_lt.data.pipeline.slices import Slices
from keras_lt.data.sources.image_files import ImageFiles
from keras_lt.data.transforms.augment import Augment
from keras_lt.data.transforms.transform import label_shares
from keras_lt.devices import replicas, tf_strategy


class Loader:
    """Endless training batches of images in memory or on disk.

    Batch i is a function of seed, sampler and i alone, so training resumes
    anywhere, and all kinds give the same images (what `Augment` resizes or
    colours, and what a policy shears or stretches on the device: up to one
    level of 255, where rounding differs).

    Args:
        train: Images uint8 `(N, H, W, channels)`, or `ImageFiles`, and labels
            `(N,)`.
        validation: The same for validation, or None.
        augment: What happens to training images.
        second_view: What happens to the second view of stages with two views;
            `augment` by default.
        kind: `"numpy"`, which needs no TensorFlow; `"grain"`, which neither
            does, and makes several batches at a time; `"tf.data"`; or
            `"device"`: all images lie on the device, batches only name them,
            and the step looks them up and augments them, see `feed`. By
            default `"tf.data"`
            on the TensorFlow backend; on JAX `"device"`, if there is an
            accelerator or a `keras.distribution`, at most 1 GiB of images,
            and no `layers`; else `"grain"` for images on disk, where it is
            installed, and `"numpy"`.

    Raises:
        ValueError: if `kind` is unknown or cannot do what `augment` asks for,
            or numbers of images and labels differ.
    """

    def __init__(
        self,
        train: tuple[Images, np.ndarray],
        *,
        validation: tuple[Images, np.ndarray] | None = None,
        augment: Augment = Augment(),  # noqa: B008 - frozen
        second_view: Augment | None = None,
        kind: str | None = None,
    ):
        self.pixels, self.labels = train
        self.validation = validation
        self.augment = augment
        self.second_view = second_view or augment
        self.kind = kind or suitable_kind(self.pixels, self._has_layers())
        check_kind(self.kind, self.pixels, self._has_layers())
        if len(self.pixels) != len(self.labels):
            raise ValueError(
                f"`train` must hold one label an image, got {len(self.pixels)} "
                f"images and {len(self.labels)} labels"
            )
        for images, _ in filter(None, (train, validation)):
            check_finite(images)
        for policy in (*self.augment.policies, *self.second_view.policies):
            policy.check(self.pixels.shape[1:])

    @property
    def on_disk(self) -> bool:
        """Whether the images are files."""
        return isinstance(self.pixels, ImageFiles)

    def _has_layers(self):
        return bool(self.augment.layers or self.second_view.layers)

    def steps(self, batching: Batching) -> int:
        """Steps of an epoch."""
        whole, rest = divmod(len(self.labels), batching.batch_size)
        steps = whole if batching.drop_remainder else whole + bool(rest)
        if not steps:
            raise ValueError(
                f"`batch_size` must be at most the {len(self.labels)} "
                f"training images, got {batching.batch_size}"
            )
        return steps

    def images(self, batching: Batching) -> int:
        """Images of an epoch."""
        return min(len(self.labels), self.steps(batching) * batching.batch_size)

    def feed(
        self,
        batching: Batching,
        seed: int,
        first_epoch: int = 0,
        soft_labels: np.ndarray | None = None,
        first_step: int = 0,
    ) -> Feed:
        """Make the batches of one `fit`.

        They are `(images, labels)`, with two views `((images, second views,
        labels), labels)`, and with soft labels `((images, soft labels),
        labels)`. Transforms that mix labels make them float32 `(B, C)`.

        Args:
            batching: How images become batches.
            seed: Of sampling and augmentation.
            first_epoch: Epoch (from 0) of the first batch.
            soft_labels: One row for each training image.
            first_step: Step (from 0) of the first batch in that epoch.

        Returns:
            What `training.fuse_steps(..., data=feed)` takes, whose
            `feed.batches` are for `fit(..., steps_per_epoch=...)`. Make one
            for each `fit`.

        Raises:
            ValueError: if labels are mixed that a model with two views, or
                with soft labels, takes as they are.
        """
        self.check(batching, soft_labels=soft_labels is not None)
        augments = self._augments(batching)
        plan = Plan(
            self.pixels,
            self.labels,
            augments,
            batching,
            steps=self.steps(batching),
            seed=seed,
            first_epoch=first_epoch,
            first_step=first_step,
        )
        assembler = Assembler(self.pixels, self.labels, augments, soft_labels)
        planned = self.kind == "device"
        numbered = Numbered(plan, None if planned else assembler)
        feed = Feed(numbered, assembler, in_step=planned or distributed())
        in_turn = self._has_layers()
        if in_turn and "tensorflow" in sys.modules:
            # Layers of KerasCV draw from TensorFlow's global generator.
            sys.modules["tensorflow"].random.set_seed(seed)
        if self.kind == "grain":
            feed.batches = grain_streams.stream(feed)
        elif on_tf_data(self.kind):
            layers = ()
            alone = len(augments) == 1 and not augments[0].transforms
            if in_turn and alone and soft_labels is None:
                layers = assembler.leave_layers()
            feed.batches = tf_streams.stream(
                feed, in_turn=in_turn and not layers, layers=layers
            )
        return feed

    def train(
        self,
        batching: Batching,
        seed: int,
        first_epoch: int = 0,
        soft_labels: np.ndarray | None = None,
    ) -> Any:
        """Batches for `fit` alone, see `feed`.

        Raises:
            ValueError: if the step makes the batches and needs the feed, too.
        """
        feed = self.feed(batching, seed, first_epoch, soft_labels)
        if feed.in_step:
            raise ValueError(
                f"`kind` {self.kind!r} makes batches in the step here: give "
                "`feed(...)` to `training.fuse_steps`, and its `batches` to "
                "`fit`"
            )
        return feed.batches

    def check(self, batching: Batching, *, soft_labels: bool = False) -> None:
        """Raise what `feed` would, without making one.

        Args:
            batching: How images become batches.
            soft_labels: Whether there are soft labels.

        Raises:
            ValueError: see `feed`.
        """
        self.steps(batching)
        if not (batching.two_views or soft_labels):
            return
        for augment in self._augments(batching):
            if augment.num_classes:
                raise ValueError(
                    "`transforms` must leave labels alone with two views and "
                    f"with soft labels, got {augment.transforms}"
                )

    def _augments(self, batching):
        """What happens to each view, the transforms of a stage included."""
        augments = (self.augment, self.second_view)[: 1 + batching.two_views]
        return tuple(
            dataclasses.replace(
                augment, transforms=augment.transforms + batching.transforms
            )
            for augment in augments
        )

    def validate(
        self, batching: Batching, soft_labels: np.ndarray | None = None
    ) -> Any:
        """Validation data in the form of the training batches, or None."""
        if self.validation is None:
            return None
        inputs, labels = self.validation
        augment = self._augments(batching)[0]
        if augment.num_classes:
            labels = label_shares(labels, augment.num_classes, np)
        if batching.two_views:
            inputs = (inputs, inputs, labels)
        elif soft_labels is not None:
            inputs = (inputs, soft_labels)
        if self.on_disk and not on_tf_data(self.kind):
            devices = replicas()
            if len(labels) % devices:
                raise ValueError(
                    f"`validation`: {len(labels)} images do not divide over "
                    f"{devices} devices"
                )
            return Slices(inputs, labels, -(-64 // devices) * devices)
        if not on_tf_data(self.kind):
            return inputs, labels
        return tf_streams.of_arrays(inputs, labels)

    @property
    def validation_steps(self) -> int | None:
        """Batches of `validate`, where Keras cannot count them."""
        if self.validation is None or not tf_strategy():
            return None
        return tf_streams.validation_steps(self.validation[1])
