"""Batches that are made on the device are those that the host makes."""

import types

import keras
import numpy as np
import pytest

from keras_lt import data
from keras_lt.data import Augment, Loader
from keras_lt.data import loader as loader_module
from keras_lt.samplers import ClassBalanced

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (40, 12, 10, 3), "uint8")
LABELS = np.arange(40) % 4
MOVES = Augment(pad=2, flip=True, rotation=20.0)
COLORS = Augment(
    pad=1,
    crop_scale=(0.2, 1.0),
    jitter=(0.4, 0.4, 0.4, 0.1),
    jitter_share=0.8,
    grey_share=0.2,
    blur_share=0.5,
)


def stage(two_views=False):
    return types.SimpleNamespace(
        sampler=ClassBalanced(),
        batch_size=16,
        drop_remainder=False,
        two_views=two_views,
    )


def batches(
    kind, numbers, soft=None, images=IMAGES, two_views=False, **options
):
    loader = Loader((images, LABELS), kind=kind, **options)
    plan = stage(two_views)
    stream = loader.train(plan, 3, 1, soft)
    if not isinstance(stream, keras.utils.PyDataset):
        stream = [*stream.take(5)]
    found = [stream[i] for i in numbers]
    if kind == "device":
        make = loader.on_device(plan, soft)
        if keras.backend.backend() == "jax":
            assert found == [((),)] * 3
            found = [(batch,) for batch in make.planned]
        found = [make(make.arrays, batch, keras.ops) for (batch,) in found]
    return keras.tree.map_structure(keras.ops.convert_to_numpy, found)


def both(soft=None, images=IMAGES, two_views=False, **options):
    numbers = (0, 2, 4)  # the third of an epoch holds 8 images
    host, device = (
        batches(kind, numbers, soft, images, two_views, **options)
        for kind in ("numpy", "device")
    )
    return zip(
        keras.tree.flatten(host), keras.tree.flatten(device), strict=True
    )


@pytest.mark.parametrize("augment", [Augment(), Augment(flip=True), MOVES])
def test_moves_are_exact(augment):
    soft = RANDOM.normal(size=(40, 4)).astype("float32")
    for options in ({}, {"two_views": True}, {"soft": soft}):
        for host, device in both(augment=augment, **options):
            assert host.dtype == device.dtype or host.dtype == "int64"
            np.testing.assert_array_equal(host, device)


@pytest.mark.parametrize("channels", [1, 3])
def test_colors_are_equal_up_to_rounding(channels):
    options = {"images": IMAGES[..., :channels], "second_view": COLORS}
    for host, device in both(augment=MOVES, two_views=True, **options):
        assert host.shape == device.shape
        apart = np.abs(host.astype(int) - device.astype(int))
        assert apart.max() <= 1
        assert (apart > 0).mean() < 0.01


def test_the_example_has_the_form_of_a_batch():
    make = Loader((IMAGES, LABELS), kind="device").on_device(stage(True))
    (first, second, labels), again = make.example()
    assert first.shape == second.shape == (1, 12, 10, 3)
    assert labels.shape == again.shape == (1,)


def test_only_the_device_kind_has_something_on_it():
    assert Loader((IMAGES, LABELS), kind="numpy").on_device(stage()) is None


def test_the_default_fits_the_device(monkeypatch):
    monkeypatch.setattr(loader_module, "on_accelerator", lambda: True)
    on_jax = keras.backend.backend() == "jax"

    def kind(**options):
        return Loader((IMAGES, LABELS), **options).kind

    host = "numpy" if on_jax else "tf.data"
    assert kind() == ("device" if on_jax else host)
    assert kind(augment=Augment(layers=(lambda x: x,))) == host
    monkeypatch.setattr(loader_module, "FITS", IMAGES.nbytes - 1)
    assert kind() == host


def test_layers_stay_on_the_host():
    augment = data.Augment(layers=(lambda x, training: x,))
    with pytest.raises(ValueError, match="with `layers`, got 'device'"):
        Loader((IMAGES, LABELS), augment=augment, kind="device")
