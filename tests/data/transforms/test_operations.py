"""Operations of AutoAugment and RandAugment: pixels are those of Pillow."""

import keras
import numpy as np
import programs
import pytest
from every_kind import compiled
from PIL import Image, ImageEnhance, ImageOps

from keras_lt.data.transforms.operations import (
    NAMES,
    NUMBER,
    STRONGEST,
    numbered,
    operate,
    prepare,
)

RANDOM = np.random.default_rng(0)
NOISE = RANDOM.integers(0, 256, (24, 32, 32, 3), "uint8")
FILL = (128, 128, 128)
LEVELS = [-1, -0.8, -0.35, 0, 0.1, 1 / 3, 0.5, 8 / 9, 1]
y, x = np.mgrid[:6, :6]
RAMPS = np.stack([10 + 40 * x, 20 + 35 * y, 30 + 15 * (x + y)], -1)
RAMPS = RAMPS[None].astype("uint8")
y, x = np.mgrid[:32, :32]
PRODUCT = (x * y // 4)[None, ..., None].astype("uint8")


def smooth(random):
    """Images with few and with neighbouring values, flat ones, and dark."""
    levels = random.integers(0, 256, (24, 4, 4, 3))
    images = np.kron(levels, np.ones((1, 8, 8, 1), int))
    images[:8] += random.integers(0, 3, (8, 32, 32, 3))
    images[8:12] = levels[8:12, :1, :1]
    images[12:16] //= 6
    return np.clip(images, 0, 255).astype("uint8")


SMOOTH = smooth(RANDOM)


def operated(name, level, images):
    operation = np.full((len(images), 1), NUMBER[name], "int32")
    level = np.full(operation.shape, float(level))
    return operate(images, prepare(operation, level, images.shape[1:]), np)


def by_pillow(name, level, image):
    """One image, by the functions that released code calls."""
    image = Image.fromarray(image)
    size, enhancers = (
        image.size,
        {
            "color": ImageEnhance.Color,
            "contrast": ImageEnhance.Contrast,
            "brightness": ImageEnhance.Brightness,
            "sharpness": ImageEnhance.Sharpness,
        },
    )

    def affine(a, b, c, d, e, f, resample):
        matrix = (a, b, c, d, e, f)
        affine = Image.Transform.AFFINE
        return image.transform(size, affine, matrix, resample, fillcolor=FILL)

    near, cubic = Image.Resampling.NEAREST, Image.Resampling.BICUBIC
    slope = float(np.float32(0.3 * level))
    if name in enhancers:
        return enhancers[name](image).enhance(1 + 0.9 * level)
    functions = {
        "identity": lambda: image,
        "shear_x": lambda: affine(1, slope, 0, 0, 1, 0, cubic),
        "shear_y": lambda: affine(1, 0, 0, slope, 1, 0, cubic),
        "translate_x": lambda: affine(
            1, 0, level * 150 / 331 * size[0], 0, 1, 0, near
        ),
        "translate_y": lambda: affine(
            1, 0, 0, 0, 1, level * 150 / 331 * size[1], near
        ),
        "rotate": lambda: image.rotate(30 * level, near, fillcolor=FILL),
        "posterize": lambda: ImageOps.posterize(image, 8 - round(4 * level)),
        "solarize": lambda: ImageOps.solarize(image, 256 - 256 * level),
        "autocontrast": lambda: ImageOps.autocontrast(image),
        "equalize": lambda: ImageOps.equalize(image),
        "invert": lambda: ImageOps.invert(image),
    }
    return functions[name]()


def levels(name):
    if name in ("identity", "autocontrast", "equalize", "invert"):
        return [0.5]
    if name in ("posterize", "solarize"):
        return [level for level in LEVELS if level >= 0]
    return LEVELS


# Sums of channels of `RAMPS`, after a level in ninths; `toolbox.md`, 9.
SUMS = [
    ("shear_x", 8, (4593, 3812, 4013)),
    ("shear_y", 8, (3872, 4439, 4013)),
    ("translate_x", 9, (5364, 4239, 4599)),
    ("translate_x", -9, (3204, 4239, 3789)),
    ("translate_y", 9, (4284, 5184, 4599)),
    ("rotate", 9, (4032, 3952, 3872)),
    ("color", 9, (4202, 3926, 3669)),
    ("color", -9, (3878, 3868, 3859)),
    ("contrast", 6, (4194, 4050, 3725)),
    ("brightness", -9, (396, 378, 369)),
    ("posterize", 7, (3888, 3744, 3664)),
    ("solarize", 5, (2430, 2700, 3405)),
    ("solarize", 8, (3810, 4020, 5400)),
    ("autocontrast", 1, (4572, 4584, 4581)),
    ("invert", 1, (5220, 5310, 5400)),
    ("equalize", 1, (3960, 3870, 3780)),
]


@programs.once("jax")
@pytest.mark.parametrize("name", NAMES)
def test_every_pixel_is_that_of_pillow(name):
    for images in (NOISE, SMOOTH, NOISE[:, :20, :15]):
        for level in levels(name):
            golden = [by_pillow(name, level, image) for image in images]
            ours = operated(name, level, images)
            assert ours.dtype == "uint8"
            np.testing.assert_array_equal(ours, np.stack(golden), str(level))


@programs.once("jax")
def test_goldens_of_the_card():
    names, ninths, golden = zip(*SUMS, strict=True)
    images = np.repeat(RAMPS, len(SUMS), axis=0)
    operation = numbered(names)[:, None]
    level = np.array(ninths)[:, None] / 9
    ours = operate(images, prepare(operation, level, (6, 6, 3)), np)
    np.testing.assert_array_equal(ours.sum((1, 2)), golden)
    rows = ours[0, [0, 5], :, 0].tolist()
    assert rows == [[14, 58, 98, 138, 179, 214], [69, 109, 149, 193, 215, 128]]
    assert ours[5, 0, :, 0].tolist() == [128, 90, 130, 170, 210, 128]


@programs.once("jax")
def test_goldens_of_one_channel():
    ours = operated("equalize", 0, PRODUCT)[0, ..., 0]
    assert ours.sum(dtype=int) == 129645
    assert ours[31, [0, 8, 16, 24, 31]].tolist() == [0, 156, 218, 247, 255]
    ours = operated("autocontrast", 0, PRODUCT)[0, ..., 0]
    assert ours.sum(dtype=int) == 64632
    assert ours[31, [0, 8, 16, 24, 31]].tolist() == [0, 65, 131, 197, 255]
    point = np.full((1, 5, 5, 1), 40, "uint8")
    point[0, 2, 2] = 200
    for level, centre, around in ((1, 255, 29), (-1, 111, 50)):
        golden = point[0, ..., 0].copy()
        golden[1:4, 1:4] = around
        golden[2, 2] = centre
        ours = operated("sharpness", level, point)
        np.testing.assert_array_equal(ours[0, ..., 0], golden)
    np.testing.assert_array_equal(operated("color", 1, point), point)


@programs.once("jax")
@pytest.mark.parametrize("name", [*STRONGEST])
def test_level_zero_changes_nothing(name):
    for images in (NOISE, PRODUCT):
        np.testing.assert_array_equal(operated(name, 0, images), images)
    assert (operated(name, 1, NOISE) != NOISE).any((1, 2, 3)).all()


def test_the_device_computes_the_same():
    """Exactly, but for what float32 rounds: shears, and quotients."""
    images = np.concatenate([NOISE, SMOOTH])
    names = np.arange(len(images), dtype="int32") % len(NAMES)
    level = RANDOM.uniform(0, 1, (len(images), 1))
    drawn = prepare(names[:, None], level, images.shape[1:])
    host = operate(images, drawn, np)
    made = compiled(lambda *tensors: operate(*tensors, keras.ops))
    tensors = (images, drawn)
    tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, tensors)
    device = np.asarray(made(*tensors))
    assert host.dtype == device.dtype == "uint8"
    rounded = numbered(["shear_x", "shear_y", "autocontrast"])
    exact = ~np.isin(names, rounded)
    np.testing.assert_array_equal(host[exact], device[exact])
    apart = np.abs(host.astype(int) - device)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.01
