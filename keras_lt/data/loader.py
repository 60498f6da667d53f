"""Index stream to batches: on tf.data, without TensorFlow, on the device."""

import collections
import contextlib
import sys
import time
from importlib.util import find_spec
from typing import Any

import keras
import numpy as np

from keras_lt.data import grain_streams, tf_streams
from keras_lt.data.augment import Augment
from keras_lt.data.batches import (
    Announced,
    Assembler,
    Batches,
    Made,
    Plan,
    Slices,
)
from keras_lt.data.image_files import ImageFiles
from keras_lt.devices import on_accelerator, replicas, tf_strategy

KINDS = ("numpy", "grain", "tf.data", "device")
FITS = 2**30  # bytes of images that an accelerator can spare


class Loader:
    """Endless training batches of images in memory or on disk.

    Batch i is a function of seed, sampler and i alone, so training resumes
    anywhere, and all kinds give the same images (what `Augment` resizes or
    colours: up to one level of 255, where rounding differs).

    Args:
        train: Images uint8 `(N, H, W, channels)`, or `ImageFiles`, and labels
            `(N,)`.
        validation: The same for validation, or None.
        augment: What happens to training images.
        second_view: What happens to the second view of stages with two views;
            `augment` by default.
        kind: `"numpy"`, which needs no TensorFlow; `"grain"`, which neither
            does, and makes several batches at a time; `"tf.data"`; or
            `"device"`:
            all images lie on the device, batches only name them, and
            `training.fuse_steps(..., data=loader.on_device(stage))` makes the
            step that looks them up and augments them. By default `"tf.data"`
            on the TensorFlow backend; on JAX `"device"`, if there is an
            accelerator or a `keras.distribution`, at most 1 GiB of images,
            and no `layers`; else `"grain"` for images on disk, where it is
            installed, and `"numpy"`.

    Attributes:
        waited: Seconds for which training waited for batches, so far.

    Raises:
        ValueError: if `kind` is unknown or cannot do what `augment` asks for,
            or numbers of images and labels differ.
    """

    def __init__(
        self,
        train: tuple[np.ndarray, np.ndarray],
        *,
        validation: tuple[np.ndarray, np.ndarray] | None = None,
        augment: Augment = Augment(),  # noqa: B008 - frozen
        second_view: Augment | None = None,
        kind: str | None = None,
    ):
        self.pixels, self.labels = train
        self.validation = validation
        self.augment = augment
        self.second_view = second_view or augment
        self.kind = kind or self._suitable_kind()
        self.waited = 0.0
        self.planned = collections.deque()
        if self.kind not in KINDS:
            raise ValueError(f"`kind` must be one of {KINDS}, got {kind!r}")
        if len(self.pixels) != len(self.labels):
            raise ValueError(
                f"`train` must hold one label an image, got {len(self.pixels)} "
                f"images and {len(self.labels)} labels"
            )
        if self._spread and self.kind not in ("device", "numpy"):
            raise ValueError(
                "`kind` must be 'device' or 'numpy' under a "
                f"keras.distribution, got {self.kind!r}"
            )
        if self.kind == "device" and self.on_disk:
            raise ValueError(
                "`kind` must be 'numpy', 'grain' or 'tf.data' for images on "
                "disk, got 'device'"
            )
        if self.kind in ("device", "grain") and self._has_layers():
            raise ValueError(
                "`kind` must be 'numpy' or 'tf.data' for an augmentation with "
                f"`layers`, got {kind!r}"
            )
        if self.kind == "grain" and not find_spec("grain"):
            raise ValueError(
                "`kind`: grain is not installed; pip install "
                "'keras_lt[images]' brings it"
            )

    @property
    def _spread(self):
        """Whether a keras.distribution splits batches over devices of JAX."""
        on_jax = keras.backend.backend() == "jax"
        return on_jax and keras.distribution.distribution() is not None

    @property
    def on_disk(self) -> bool:
        """Whether the images are files."""
        return isinstance(self.pixels, ImageFiles)

    def _has_layers(self):
        return bool(self.augment.layers or self.second_view.layers)

    def _suitable_kind(self):
        if keras.backend.backend() == "tensorflow":
            return "tf.data"
        fits = self.pixels.nbytes <= FITS and not self._has_layers()
        if fits and (on_accelerator() or self._spread):
            return "device"
        several = self.on_disk and not self._has_layers() and not self._spread
        return "grain" if several and find_spec("grain") else "numpy"

    def steps(self, stage: Any) -> int:
        """Steps of an epoch of a `training.Stage`."""
        whole, rest = divmod(len(self.labels), stage.batch_size)
        steps = whole if stage.drop_remainder else whole + bool(rest)
        if not steps:
            raise ValueError(
                f"`batch_size` must be at most the {len(self.labels)} "
                f"training images, got {stage.batch_size}"
            )
        return steps

    def images(self, stage: Any) -> int:
        """Images of an epoch."""
        return min(len(self.labels), self.steps(stage) * stage.batch_size)

    def train(
        self,
        stage: Any,
        seed: int,
        first_epoch: int = 0,
        soft_labels: np.ndarray | None = None,
    ) -> Any:
        """Batches for `fit(..., steps_per_epoch=...)`.

        They are `(images, labels)`, in stages with two views `((images,
        second views, labels), labels)`, and with soft labels `((images, soft
        labels), labels)`.

        Args:
            stage: Anything with `sampler`, `batch_size`, `drop_remainder` and
                `two_views`, such as a `training.Stage`.
            seed: Of sampling and augmentation.
            first_epoch: Epoch (from 0) of the first batch.
            soft_labels: One row for each training image.
        """
        plan = Plan(self, stage, seed, first_epoch)
        in_turn = self._has_layers()
        if in_turn and "tensorflow" in sys.modules:
            # Layers of KerasCV draw from TensorFlow's global generator.
            sys.modules["tensorflow"].random.set_seed(seed)
        assemble = None
        if self.kind != "device":
            assemble = Assembler(self, stage.two_views, soft_labels)
        if self.kind == "grain":
            return grain_streams.wrapped(Batches(plan, assemble), self._wait)
        if not self._on_tf_data():
            if assemble is None:
                return Announced(plan, self.planned, self._wait)
            if self._spread:
                whole = Batches(plan, assemble)
                return Announced(whole, self.planned, self._wait)
            return Batches(plan, assemble, self._wait)
        layers = ()
        if in_turn and not stage.two_views and soft_labels is None:
            layers = assemble.leave_layers()
        batches = Batches(plan, assemble)
        in_turn = in_turn and not layers
        stream = tf_streams.wrapped(batches, in_turn, layers)
        return tf_streams.timed(stream, self)

    def _on_tf_data(self):
        on_tensorflow = keras.backend.backend() == "tensorflow"
        return self.kind == "tf.data" or self.kind == "device" and on_tensorflow

    def on_device(
        self, stage: Any, soft_labels: np.ndarray | None = None
    ) -> Assembler | None:
        """Return what `training.fuse_steps` needs to make `train`'s batches.

        Returns:
            None, if batches are made on the host, for a single device.
        """
        assemble = Assembler(self, stage.two_views, soft_labels)
        if self.kind == "device":
            return assemble
        return Made(assemble) if self._spread else None

    @contextlib.contextmanager
    def _wait(self):
        start = time.perf_counter()
        yield
        self.waited += time.perf_counter() - start

    def validate(self, stage: Any, soft_labels: np.ndarray | None = None):
        """Validation data in the form of the training batches, or None."""
        if self.validation is None:
            return None
        inputs, labels = self.validation
        if stage.two_views:
            inputs = (inputs, inputs, labels)
        elif soft_labels is not None:
            inputs = (inputs, soft_labels)
        if self.on_disk and not self._on_tf_data():
            devices = replicas()
            if len(labels) % devices:
                raise ValueError(
                    f"`validation`: {len(labels)} images do not divide over "
                    f"{devices} devices"
                )
            return Slices(inputs, labels, -(-64 // devices) * devices)
        if not self._on_tf_data():
            return inputs, labels
        return tf_streams.of_arrays(inputs, labels)

    @property
    def validation_steps(self) -> int | None:
        """Batches of `validate`, where Keras cannot count them."""
        if self.validation is None or not tf_strategy():
            return None
        return tf_streams.validation_steps(self.validation[1])
