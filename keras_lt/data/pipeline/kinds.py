"""What makes batches: which kind suits, and which cannot do what is asked."""

from importlib.util import find_spec

import keras
import numpy as np

from keras_lt.data.pipeline.plan import Images
from keras_lt.data.sources.image_files import ImageFiles
from keras_lt.devices import on_accelerator

KINDS = ("numpy", "grain", "tf.data", "device")
FITS = 2**30  # bytes of images that an accelerator can spare


def distributed() -> bool:
    """Whether a keras.distribution splits batches over devices of JAX."""
    on_jax = keras.backend.backend() == "jax"
    return on_jax and keras.distribution.distribution() is not None


def on_tf_data(kind: str) -> bool:
    """Whether batches of a kind are a stream of tf.data."""
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return kind == "tf.data" or kind == "device" and on_tensorflow


def suitable_kind(images: Images, layers: bool) -> str:
    """The kind that suits the backend, its devices and the images.

    Args:
        images: What batches are made of.
        layers: Whether an augmentation has layers.
    """
    if keras.backend.backend() == "tensorflow":
        return "tf.data"
    fits = images.nbytes <= FITS and not layers
    if fits and (on_accelerator() or distributed()):
        return "device"
    on_disk = isinstance(images, ImageFiles)
    several = on_disk and not layers and not distributed()
    return "grain" if several and find_spec("grain") else "numpy"


def check_kind(kind: str, images: Images, layers: bool) -> None:
    """Raise ValueError if a kind is unknown, or cannot do what is asked.

    Args:
        kind: Of a `Loader`.
        images: What batches are made of.
        layers: Whether an augmentation has layers.
    """
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {KINDS}, got {kind!r}")
    if distributed() and kind not in ("device", "numpy"):
        raise ValueError(
            "`kind` must be 'device' or 'numpy' under a "
            f"keras.distribution, got {kind!r}"
        )
    if kind == "device" and isinstance(images, ImageFiles):
        raise ValueError(
            "`kind` must be 'numpy', 'grain' or 'tf.data' for images on "
            "disk, got 'device'"
        )
    if kind in ("device", "grain") and layers:
        raise ValueError(
            "`kind` must be 'numpy' or 'tf.data' for an augmentation with "
            f"`layers`, got {kind!r}"
        )
    if kind == "grain" and not find_spec("grain"):
        raise ValueError(
            "`kind`: grain is not installed; pip install "
            "'keras_lt[images]' brings it"
        )


def check_finite(images: Images) -> None:
    """Raise ValueError for pixels that are no numbers.

    Bytes are all numbers, and files hold bytes, so this looks at floats only.
    """
    if isinstance(images, ImageFiles) or images.dtype.kind != "f":
        return
    for number, image in enumerate(images):
        if not np.isfinite(image).all():
            raise ValueError(
                f"images must be finite numbers, image {number} is not"
            )
