import keras
import numpy as np
import programs
import pytest

from keras_lt.models import (
    BACKBONES,
    classifier,
    last_layers,
    resnet,
    resnet_cifar,
    resnet_imagenet,
)
from keras_lt.models.classifiers import make_head
from keras_lt.training import Problem

CIFAR = Problem(
    (32, 32, 3), (5,) * 100, (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2)
)
SMALL = Problem((8, 8, 1), (30, 10, 3), (0.25,), (0.5,))


pytestmark = [pytest.mark.usefixtures("zeros"), programs.once("tensorflow")]


def trainable(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


@pytest.mark.parametrize(
    ("backbone", "features", "encoder", "whole"),
    [
        ("resnet32", 64, 463_504, 470_004),
        ("resnet34", 512, 21_276_992, 21_328_292),
    ],
)
def test_published_numbers_of_parameters(backbone, features, encoder, whole):
    model = classifier(backbone, CIFAR)
    assert trainable(model) == whole
    assert trainable(model.get_layer("encoder")) == encoder
    assert model.get_layer("encoder").output_shape == (None, features)
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 100)


def test_the_head_has_its_own_number_of_classes():
    model = classifier("resnet32", Problem((32, 32, 3), (5,) * 10))
    assert trainable(model) == 463_504 + 650
    assert model.output_shape == (None, 10)


SMALL_BACKBONES = [
    *("resnet8", "resnet20", "resnet32", "resnet32b"),
    *("resnet18", "resnet34"),
]
LARGE_BACKBONES = {
    "resnet10": (10, 512, 4_905_792),
    "resnet50": (50, 2048, 23_508_032),
    "resnet101": (101, 2048, 42_500_160),
    "resnet152": (152, 2048, 58_143_808),
    "resnext50": (50, 2048, 22_979_904),
    "resnext101": (101, 2048, 42_128_704),
    "resnext152": (152, 2048, 57_902_400),
}


def test_no_backbone_is_forgotten():
    ours = {*SMALL_BACKBONES, *LARGE_BACKBONES}
    assert set(BACKBONES) == {*ours, "micro"}  # which is for tests


@pytest.mark.parametrize("backbone", LARGE_BACKBONES)
def test_backbones_for_large_images(backbone):
    depth, features, parameters = LARGE_BACKBONES[backbone]
    model = BACKBONES[backbone]((224, 224, 3))
    assert trainable(model) == parameters
    assert model.output_shape == (None, features)
    assert model.get_layer("pool").input.shape[1:3] == (7, 7)
    kernels = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
        and "shortcut" not in layer.name
    ]
    assert len(kernels) == depth - 1
    # The stride is on the 3x3 convolution.
    strides = {
        layer.kernel_size[0] for layer in kernels if layer.strides[0] > 1
    }
    assert strides == {3, 7}


def test_parts_make_up_the_whole():
    for backbone, shape in (
        ("resnet32", (32, 32, 3)),
        ("resnet10", (64, 64, 3)),
    ):
        make = BACKBONES[backbone]
        trunk = make(shape, part="trunk", name="trunk")
        expert = make(trunk.output_shape[1:], part="expert", name="expert")
        whole = make(shape)
        assert trainable(trunk) + trainable(expert) == trainable(whole)
        names = [layer.name for layer in (*trunk.layers, *expert.layers)]
        ours = [name for name in names if not name.startswith("input")]
        assert ours == [layer.name for layer in whole.layers[1:]]
        with pytest.raises(ValueError, match="`part` must be one of.*'half'"):
            make(shape, part="half")


@pytest.mark.parametrize("backbone", SMALL_BACKBONES)
def test_every_backbone(backbone):
    model = classifier(backbone, SMALL, width=4)
    depth = int(backbone.removeprefix("resnet").removesuffix("b"))
    layers = model.get_layer("encoder").layers
    kernels = [
        layer
        for layer in layers
        if isinstance(layer, keras.layers.Conv2D)
        and "shortcut" not in layer.name
    ]
    assert len(kernels) == depth - 1  # and the head
    assert model.name == f"{backbone}_classifier"
    stages = 4 if depth in (18, 34) else 3
    assert model.get_layer("encoder").output_shape == (None, 2 ** (stages + 1))
    assert model.output_shape == (None, 3)


def stage_sizes(model):
    """Rows and channels of each stage's output."""
    last = {
        layer.name.split("_")[0]: layer.output.shape
        for layer in model.layers
        if layer.name.endswith("_relu")
    }
    return [(shape[1], shape[3]) for shape in last.values()]


def test_sizes_of_stages():
    cifar = stage_sizes(resnet_cifar((32, 32, 3), depth=8))
    assert cifar == [(32, 16), (32, 16), (16, 32), (8, 64)]
    wide = stage_sizes(resnet((32, 32, 3), depth=18, width=4, name="other"))
    assert wide == [(32, 4), (32, 4), (16, 8), (8, 16), (4, 32)]
    assert resnet_cifar((32, 32, 3)).name == "encoder"


def test_shortcuts():
    def shortcuts(model):
        return [name for name in names(model) if "shortcut" in name]

    def names(model):
        return [layer.name for layer in model.layers]

    # Parameter-free in the narrow nets, a convolution in the wide ones.
    narrow = resnet_cifar((8, 8, 1), depth=14, width=4)
    path = ["stage2_block1_shortcut", "stage3_block1_shortcut"]
    assert shortcuts(narrow) == path
    wide = shortcuts(resnet((8, 8, 1), depth=18, width=4))
    stages = [f"stage{n}_block1_shortcut" for n in (2, 3, 4)]
    assert wide == [
        f"{stage}_{part}" for stage in stages for part in ("conv", "bn")
    ]


def test_pixels_are_normalised():
    model = classifier("resnet8", SMALL, width=4)
    normalize = model.get_layer("normalize")
    pixels = np.array([0, 63.75, 255]).reshape(1, 3, 1, 1)
    ours = keras.ops.convert_to_numpy(normalize(pixels)).reshape(-1)
    np.testing.assert_allclose(ours, [-0.5, 0, 1.5], atol=1e-6)
    logits = model(np.zeros((2, 8, 8, 1), "uint8"))
    assert tuple(logits.shape) == (2, 3)


def test_initial_values(monkeypatch):
    wide = classifier("resnet18", CIFAR, width=16)
    narrow = resnet_cifar((32, 32, 3), depth=8)
    monkeypatch.undo()  # random values again, of a few layers
    keras.utils.set_random_seed(0)

    def draw(layer):
        values = layer.kernel_initializer(layer.kernel.shape)
        return keras.ops.convert_to_numpy(values)

    head = wide.get_layer("head")
    bound = 128**-0.5  # of PyTorch's linear layer
    bias = keras.ops.convert_to_numpy(head.bias_initializer((100,)))
    for values in (draw(head), bias):
        assert 0.95 * bound < np.abs(values).max() <= bound
        assert values.std() == pytest.approx(bound / 3**0.5, rel=0.15)
    narrow_head = make_head("kaiming", 64, 100)
    narrow_head.build((None, 64))
    kaiming = draw(narrow_head)
    assert kaiming.std() == pytest.approx((2 / 64) ** 0.5, rel=0.05)
    assert np.abs(kaiming).max() > 2.5 * kaiming.std()
    encoder = wide.get_layer("encoder")
    stem = draw(encoder.get_layer("stem_conv"))
    assert 0.95 * 27**-0.5 < np.abs(stem).max() <= 27**-0.5
    for model, name, fan in (
        (encoder, "stage2_block1_1_conv", 9 * 32),  # fan out, not 9 * 16
        (encoder, "stage2_block1_shortcut_conv", 32),
        (narrow, "stage2_block1_1_conv", 9 * 16),  # fan in
        (narrow, "stem_conv", 27),
    ):
        kernel = draw(model.get_layer(name))
        assert kernel.std() == pytest.approx((2 / fan) ** 0.5, rel=0.15)
        assert np.abs(kernel).max() > 2.5 * kernel.std()  # not truncated
    first, second = (
        draw(encoder.get_layer(f"stage2_block2_{n}_conv")) for n in (1, 2)
    )
    assert not np.array_equal(first, second)  # every layer has its own draw


def test_last_layers():
    model = classifier("resnet8", SMALL, width=4)
    assert last_layers(model, 1) == {"head": [model.get_layer("head")]}
    last = last_layers(model, 3)
    block = "stage3_block1"
    encoder = model.get_layer("encoder")
    assert last == {
        "head": [model.get_layer("head")],
        f"encoder/{block}_2_conv": [
            encoder.get_layer(f"{block}_2_conv"),
            encoder.get_layer(f"{block}_2_bn"),
        ],
        f"encoder/{block}_1_conv": [
            encoder.get_layer(f"{block}_1_conv"),
            encoder.get_layer(f"{block}_1_bn"),
        ],
    }
    assert list(last) == [
        "head",
        f"encoder/{block}_2_conv",
        f"encoder/{block}_1_conv",
    ]
    assert list(last_layers(model, 8))[-1] == "encoder/stem_conv"
    wide = last_layers(classifier("resnet18", SMALL, width=4), 6)
    assert not [name for name in wide if "shortcut" in name]


@pytest.mark.parametrize("number", [0, -1, 9])
def test_bad_number_of_last_layers(number):
    with pytest.raises(ValueError, match="`number` must be from 1 to 8"):
        last_layers(classifier("resnet8", SMALL, width=4), number)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`backbone`.*resnet32.*'resnet33'"):
        classifier("resnet33", SMALL)
    for depth in (2, 7, 33):
        with pytest.raises(ValueError, match="`depth` must be 8, 14"):
            resnet_cifar((8, 8, 3), depth=depth)
    with pytest.raises(ValueError, match="`variant` must be one of.*'vgg'"):
        resnet_imagenet((8, 8, 3), variant="vgg")
    with pytest.raises(ValueError, match="`head` must be one of.*'normed'"):
        classifier("resnet8", SMALL, head="normed")
    with pytest.raises(ValueError, match="`depth` must be one of"):
        resnet((8, 8, 3), depth=50)
