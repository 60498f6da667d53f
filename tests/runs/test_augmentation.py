import dataclasses
import subprocess
import sys

import keras
import numpy as np
import programs
import pytest

from keras_lt.data import (
    Augment,
    AutoAugment,
    CutMix,
    Cutout,
    Loader,
    Mixup,
    RandAugment,
)
from keras_lt.runs import augmentation
from keras_lt.training import Stage

PUBLISHED = Augment(pad=2, flip=True, rotation=5.0)
STAGE = Stage(name="any", epochs=1, batch_size=8, drop_remainder=True)
IMAGES = np.random.default_rng(0).integers(0, 256, (32, 12, 12, 3), "uint8")


def batches(specification, kind, seed=3):
    """Three batches of a new loader with new layers."""
    augment = augmentation.parse(["published", specification], PUBLISHED, seed)
    data = Loader((IMAGES, np.arange(32)), augment=augment, kind=kind)
    stream = data.train(STAGE, seed)
    if kind == "tf.data":
        return [np.asarray(images) for images, _ in stream.take(3)]
    return [stream[i][0] for i in range(3)]


def test_published_and_none():
    assert augmentation.parse(["published"], PUBLISHED, 0) == PUBLISHED
    assert augmentation.parse(["none"], PUBLISHED, 0) == Augment()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["numpy", "tf.data"])
@pytest.mark.parametrize(
    ("specification", "repeats"),
    [
        ("keras.RandomRotation(0.1)", True),
        ("keras.RandAugment(num_ops=1)", True),
        ("keras_cv.RandomCutout(height_factor=0.5, width_factor=0.5)", True),
        ("keras_cv.RandAugment(augmentations_per_image=1)", False),
    ],
)
def test_layers(specification, repeats, kind):
    if specification.startswith("keras_cv"):
        pytest.importorskip("keras_cv", exc_type=ImportError)
    elif keras.backend.backend() == "jax":
        if "RandAugment" in specification:
            pytest.skip("compiles for half a minute")
        if kind == "tf.data":
            pytest.importorskip("tensorflow")
    first = batches(specification, kind)
    plain = batches("none", kind)
    for ours, theirs in zip(first, plain, strict=True):
        assert ours.shape == (8, 12, 12, 3)
        assert ours.dtype == "float32"
        assert 0 <= ours.min() and 1 < ours.max() <= 255
        assert not np.array_equal(ours, theirs)
    if repeats or kind == "numpy":
        np.testing.assert_array_equal(first, batches(specification, kind))


def test_cutout_is_the_published_images_with_a_hole():
    pytest.importorskip("keras_cv", exc_type=ImportError)
    text = "keras_cv.RandomCutout(height_factor=0.5, width_factor=0.5)"
    ours, plain = batches(text, "numpy")[0], batches("none", "numpy")[0]
    changed = (ours != plain).any(-1)
    assert (ours[changed] == 0).all()
    assert 0 < changed.mean() < 0.5


def test_none_and_published():
    def parse(*texts):
        return augmentation.parse(texts, PUBLISHED, 0)

    assert parse("published") == PUBLISHED
    assert parse("none") == Augment()
    both = parse("keras.RandomFlip", "published", "keras.RandomInvert(0.5)")
    assert (both.pad, both.flip) == (2, True)
    assert [type(layer).__name__ for layer in both.layers] == [
        "RandomFlip",
        "RandomInvert",
    ]


def test_arguments_reach_the_layer():
    text = "keras.layers.RandomRotation(0.25, fill_mode='nearest')"
    (layer,) = augmentation.parse([text], PUBLISHED, 5).layers
    config = layer.get_config()
    assert tuple(config["factor"]) == (-0.25, 0.25)
    assert (config["fill_mode"], config["seed"]) == ("nearest", 5)
    (layer,) = augmentation.parse(["keras.RandAugment"], PUBLISHED, 5).layers
    assert tuple(layer.get_config()["value_range"]) == (0, 255)
    text = "keras.RandAugment(value_range=(0, 1), seed=9)"
    config = augmentation.parse([text], PUBLISHED, 5).layers[0].get_config()
    assert (tuple(config["value_range"]), config["seed"]) == ((0, 1), 9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("publishd", "did you mean 'published'"),
        ("torch.RandAugment", "no augmentation 'torch.RandAugment'"),
        ("keras.RandAugmentt", "did you mean 'RandAugment'"),
        ("keras.RandomRotation(factor=", "must look like NAME"),
        ("keras.RandomRotation(factor=pi)", "must look like NAME"),
        ("keras.RandomRotation", "--augment: .*factor"),
        ("keras.RandomRotation(factor=0.1, angle=2)", "--augment: .*angle"),
        ("keras.RandomRotation(factor=0.1, fill_mode='no')", "fill_mode"),
    ],
)
def test_bad_specifications(text, message):
    with pytest.raises(ValueError, match=message):
        augmentation.parse([text], PUBLISHED, 0)


def test_keras_cv_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_cv", None)
    monkeypatch.setitem(sys.modules, "keras_cv.layers", None)
    with pytest.raises(ValueError, match="needs keras_cv .the extra `cv`"):
        augmentation.parse(["keras_cv.RandAugment"], PUBLISHED, 0)


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="slow")
def test_importing_the_library_imports_neither_keras_cv_nor_tensorflow():
    unwanted = {"keras_cv", "tensorflow", "tensorflow_datasets"}
    code = (
        "import sys, keras_lt.data, keras_lt.methods\n"
        f"assert not {unwanted} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@programs.once("jax")
def test_policies_and_mixing():
    def parse(*texts):
        return augmentation.parse(texts, PUBLISHED, 0)

    pair = (AutoAugment(), Cutout(16))
    for texts in (["autoaugment+cutout"], ["autoaugment ", "cutout(16)"]):
        assert parse(*texts) == Augment(policies=pair)
    texts = ["published + randaugment(1, 9.5, growth=2) + mixup(0.2)"]
    assert parse(*texts) == dataclasses.replace(
        PUBLISHED, policies=(RandAugment(1, 9.5, 2),)
    )
    assert augmentation.transforms(texts, 3) == (Mixup(0.2, 3),)
    texts = ["cutmix(1e+0, probability=0.5)+cutout(size=4)", "mixup(alpha=2)"]
    assert parse(*texts).policies == (Cutout(4),)
    mixing = (CutMix(1.0, 3, 0.5), Mixup(2, 3))
    assert augmentation.transforms(texts, 3) == mixing
    (layer,) = parse("cutout+keras.RandomRotation(factor=(-1e-1, +0.1))").layers
    assert tuple(layer.get_config()["factor"]) == (-0.1, 0.1)
    assert augmentation.transforms(["published", "cutout"], 3) == ()


@programs.once("jax")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("autoagument+cutout", "'autoagument'; did you mean 'autoaugment'"),
        ("published+", "must look like NAME.*got ''"),
        ("randaugment(2,11)", r"randaugment\(2,11\): `magnitude` must be in"),
        ("randaugment(2,10,3,4)", "too many positional arguments"),
        ("randaugment('2')", "arguments must be numbers"),
        ("cutout(sise=4)", "unexpected keyword argument 'sise'"),
        ("cutout(16", "must look like NAME"),
        ("mixup(0)", r"mixup\(0\): `alpha` must be > 0, got 0"),
        ("cutmix", "missing a required argument: 'alpha'"),
        ("cutmix(1, probability=2)", "`probability` must be in"),
    ],
)
def test_bad_policies(text, message):
    with pytest.raises(ValueError, match=f"--augment:? .*{message}"):
        augmentation.parse([text], PUBLISHED, 0)
        augmentation.transforms([text], 3)
