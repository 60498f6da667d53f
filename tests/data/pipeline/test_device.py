"""Batches that are made on the device are those that the host makes."""

import dataclasses

import keras
import numpy as np
import pytest

from keras_lt import data
from keras_lt.data import Augment, Loader
from keras_lt.data.pipeline import kinds
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


BATCHING = data.Batching(sampler=ClassBalanced(), batch_size=16)


def first_five(feed):
    """What a step is given of the first batches."""
    if not isinstance(feed.batches, keras.utils.PyDataset):
        return [*feed.batches.take(5)]
    passed = [feed.batches[i] for i in range(5)]
    if not feed.in_step:
        return passed
    assert passed == [((),)] * 5
    return feed.take(2) + feed.take(3)


def batches(
    kind, numbers, soft=None, images=IMAGES, two_views=False, **options
):
    loader = Loader((images, LABELS), kind=kind, **options)
    batching = dataclasses.replace(BATCHING, two_views=two_views)
    feed = loader.feed(batching, 3, 1, soft)
    found = [first_five(feed)[i] for i in numbers]
    if feed.in_step:
        found = [feed(feed.arrays, batch, keras.ops) for batch in found]
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


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_colors_are_equal_up_to_rounding(channels):
    options = {"images": IMAGES[..., :channels], "second_view": COLORS}
    for host, device in both(augment=MOVES, two_views=True, **options):
        assert host.shape == device.shape
        apart = np.abs(host.astype(int) - device.astype(int))
        assert apart.max() <= 1
        assert (apart > 0).mean() < 0.01


def test_the_example_has_the_form_of_a_batch():
    loader = Loader((IMAGES, LABELS), kind="device")
    feed = loader.feed(data.Batching(two_views=True), 0)
    (first, second, labels), again = feed.example()
    assert first.shape == second.shape == (1, 12, 10, 3)
    assert labels.shape == again.shape == (1,)


def test_feeds_of_one_loader_share_nothing():
    loader = Loader((IMAGES, LABELS), kind="device")
    alone = [
        batch["index"] for (batch,) in first_five(loader.feed(BATCHING, 3))
    ]
    feed, other = (loader.feed(BATCHING, seed) for seed in (3, 4))
    if isinstance(feed.batches, keras.utils.PyDataset):
        pairs = [feed.take(1) + other.take(1) for _ in range(5)]
        assert feed.batches[0] == ((),)  # `fit` begins once more
        pairs += [feed.take(1) + other.take(1)]
        alone += alone[:1]
    else:
        streams = feed.batches.take(5), other.batches.take(5)
        pairs = [*zip(*streams, strict=True)]
    for ((ours,), (theirs,)), expected in zip(pairs, alone, strict=True):
        np.testing.assert_array_equal(ours["index"], expected)
        assert not np.array_equal(theirs["index"], expected)


def test_only_the_device_kind_is_made_in_the_step():
    feed = Loader((IMAGES, LABELS), kind="numpy").feed(BATCHING, 0)
    assert not feed.in_step
    device = Loader((IMAGES, LABELS), kind="device")
    assert device.feed(BATCHING, 0).in_step
    with pytest.raises(ValueError, match=r"give `feed\(...\)` to"):
        device.train(BATCHING, 0)


def test_the_default_fits_the_device(monkeypatch):
    monkeypatch.setattr(kinds, "on_accelerator", lambda: True)
    on_jax = keras.backend.backend() == "jax"

    def kind(**options):
        return Loader((IMAGES, LABELS), **options).kind

    host = "numpy" if on_jax else "tf.data"
    assert kind() == ("device" if on_jax else host)
    assert kind(augment=Augment(layers=(lambda x: x,))) == host
    monkeypatch.setattr(kinds, "FITS", IMAGES.nbytes - 1)
    assert kind() == host


def test_layers_stay_on_the_host():
    augment = data.Augment(layers=(lambda x, training: x,))
    with pytest.raises(ValueError, match="with `layers`, got 'device'"):
        Loader((IMAGES, LABELS), augment=augment, kind="device")
