"""Weights of networks that were trained elsewhere."""

from functools import partial

import keras
import numpy as np
import programs
import pytest
from torch_layout import forward, state_dict

from keras_lt.methods import METHODS
from keras_lt.models import (
    branched_classifier,
    classifier,
    load_encoder_weights,
    multi_expert,
)
from keras_lt.models.blocks import bottleneck_block
from keras_lt.models.large_resnets import VARIANTS
from keras_lt.models.wide_resnets import BLOCKS
from keras_lt.training import Problem
from keras_lt.training.transfer import named_variables

pytestmark = [pytest.mark.usefixtures("zeros"), programs.once("tensorflow")]
PROBLEM = Problem((32, 32, 3), (5, 3, 2), (0.5, 0.4, 0.3), (0.2, 0.3, 0.2))
SHORT = (1, 2, 1, 1)
ONES = (1, 1, 1, 1)  # blocks of resnet10
GROUPED = partial(bottleneck_block, groups=2, base_width=32)


def values(model):
    return {n: np.array(variable) for n, variable in named_variables(model)}


def part(model, name):
    """Values of a layer that is a model, by their names in there."""
    found = values(model)
    inner = {n.partition("/") for n in found}
    return {n: found[f"{p}/{n}"] for p, _, n in inner if p == name}


@pytest.mark.parametrize(
    ("backbone", "blocks", "options"),
    [
        ("resnet10", ONES, {}),
        ("resnet18", SHORT, {"stem": 3}),
        ("resnet50", SHORT, {"groups": 1}),
        ("resnext50", SHORT, {"groups": 2}),
    ],
)
def test_logits_are_those_of_the_other_network(
    backbone, blocks, options, monkeypatch
):
    monkeypatch.setitem(BLOCKS, 18, SHORT)
    monkeypatch.setitem(VARIANTS, "resnet50", (bottleneck_block, SHORT))
    monkeypatch.setitem(VARIANTS, "resnext50", (GROUPED, SHORT))
    state = state_dict(blocks, 4, **options)
    model = classifier(backbone, PROBLEM, width=4)
    assert load_encoder_weights(model, state) == []
    head = model.get_layer("head")
    assert not np.any(head.kernel)
    head.set_weights([state["fc.weight"].T, state["fc.bias"]])
    pixels = np.random.default_rng(1).uniform(0, 255, (2, 32, 32, 3))
    images = (pixels / 255 - PROBLEM.pixel_mean) / PROBLEM.pixel_std
    wanted = forward(state, images.transpose(0, 3, 1, 2))
    assert np.ptp(wanted) > 0.1
    found = model.predict(pixels, verbose=0)
    np.testing.assert_allclose(found, wanted, atol=1e-4, rtol=1e-4)


def test_experts_share_what_fits():
    state = state_dict(ONES, 4)
    plain = classifier("resnet10", PROBLEM, width=4)
    load_encoder_weights(plain, state)
    wanted = part(plain, "encoder")
    model = multi_expert("resnet10", PROBLEM, width=4, thin=1.0, num_experts=2)
    assert load_encoder_weights(model, state) == []
    for name in ("trunk", "expert1", "expert2"):
        for inner, value in part(model, name).items():
            np.testing.assert_array_equal(value, wanted[inner])
    model = multi_expert("resnet10", PROBLEM, width=4, num_experts=2)
    before = part(model, "expert1")
    assert load_encoder_weights(model, state) == ["expert1", "expert2"]
    for inner, value in part(model, "trunk").items():
        np.testing.assert_array_equal(value, wanted[inner])
    for inner, value in part(model, "expert1").items():
        np.testing.assert_array_equal(value, before[inner])


@programs.once("tensorflow")
def test_branches_and_momentum_encoders():
    state = state_dict(ONES, 4)
    model = branched_classifier("resnet10", PROBLEM, width=4)
    assert load_encoder_weights(model, state) == []
    wanted = part(model, "encoder")
    assert np.any(wanted["stem_conv/kernel"])
    recipe = METHODS["ssd"](PROBLEM, backbone="resnet10", width=4, batch_size=2)
    model = recipe.build()
    assert load_encoder_weights(model, state) == []
    model = recipe.stages[0].setup(model)
    contrast = part(model, "contrast")
    for name, value in wanted.items():
        for side in ("encoder", "key_encoder"):
            np.testing.assert_array_equal(contrast[f"{side}/{name}"], value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.clear(), "the source has no 'conv1.weight', for encoder"),
        (lambda s: s.pop("layer2.0.bn1.bias"), "no 'layer2.0.bn1.bias'"),
        (
            lambda s: s.update({"layer3.1.conv1.weight": s["conv1.weight"]}),
            "has 'layer3.1.conv1.weight', which the encoder has not",
        ),
        (
            lambda s: s.update({"bn1.bias": s["bn1.bias"][1:]}),
            r"'bn1.bias' has shape \(3,\) in the source.* and \(4,\) here",
        ),
        (
            lambda s: s.update(state_dict(ONES, 4, channels=1)),
            r"'conv1.weight' has shape \(7, 7, 1, 4\).*\(7, 7, 3, 4\) here",
        ),
    ],
)
def test_nothing_is_set_where_a_layer_does_not_fit(change, message):
    state = state_dict(ONES, 4)
    change(state)
    model = classifier("resnet10", PROBLEM, width=4)
    with pytest.raises(ValueError, match=message):
        load_encoder_weights(model, state)
    assert not np.any(model.get_layer("encoder").get_weights()[0])


def test_models_without_an_encoder_are_refused():
    flat = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="must have a layer 'encoder'"):
        load_encoder_weights(flat, {})
    model = classifier("resnet10", PROBLEM, width=4)
    with pytest.raises(ValueError, match="an encoder of keras_lt or a ResNetB"):
        load_encoder_weights(model, flat)


def test_takes_an_encoder_of_ours():
    source = classifier("resnet10", PROBLEM, width=4)
    load_encoder_weights(source, state_dict(ONES, 4))
    source.get_layer("head").bias.assign([1.0, 2.0, 3.0])
    model = classifier("resnet10", PROBLEM, width=4, head="cosine")
    assert load_encoder_weights(model, source) == []
    wanted = part(source, "encoder")
    for name, value in part(model, "encoder").items():
        np.testing.assert_array_equal(value, wanted[name])


def keras_hub_network(strided=2):
    """KerasHub's `ResNetBackbone`, but narrow; the stride in another place."""
    layers = keras.layers

    def conv(x, channels, size, stride, name):
        if stride > 1:
            x = layers.ZeroPadding2D(size // 2)(x)
        x = layers.Conv2D(
            channels,
            size,
            strides=stride,
            padding="same" if stride == 1 else "valid",
            use_bias=False,
            name=f"{name}_conv",
        )(x)
        return layers.BatchNormalization(epsilon=1e-5, name=f"{name}_bn")(x)

    images = keras.Input((None, None, 3))
    x = layers.ReLU()(conv(images, 4, 7, 2, "conv1"))
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
    for stage in range(4):
        name, y, stride = f"stack{stage}_block0", x, 2 if stage else 1
        channels = 4 * 2**stage
        x = conv(x, 4 * channels, 1, stride, f"{name}_0")
        steps = ((channels, 1), (channels, 3), (4 * channels, 1))
        for number, (width, size) in enumerate(steps, 1):
            if number > 1:
                y = layers.ReLU()(y)
            here = stride if number == strided else 1
            y = conv(y, width, size, here, f"{name}_{number}")
        x = layers.ReLU()(layers.Add()([x, y]))
    return keras.Model(images, x, name="backbone")


@programs.once("tensorflow")
def test_takes_a_network_of_keras_hub(monkeypatch):
    monkeypatch.setitem(VARIANTS, "resnet50", (bottleneck_block, ONES))
    body = keras_hub_network()
    random = np.random.default_rng(0)
    body.set_weights(
        [random.uniform(-0.3, 0.5, w.shape) ** 2 for w in body.get_weights()]
    )
    images = random.normal(size=(2, 32, 32, 3))
    wanted = np.mean(body.predict(images, verbose=0), axis=(1, 2))
    inputs = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(body(inputs))
    whole = keras.Model(inputs, keras.layers.Dense(3)(pooled))
    for source in (body, whole):
        model = classifier("resnet50", PROBLEM, width=4)
        assert load_encoder_weights(model, source) == []
    found = model.get_layer("encoder").predict(images, verbose=0)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            lambda: keras_hub_network(strided=1),
            r"'stack1_block0_1_conv/kernel' has strides \(2, 2\) in the",
        ),
        (
            lambda: keras.Sequential(
                [
                    keras.Input((8, 8, 3)),
                    keras.layers.Conv2D(4, 7, name="conv1_conv"),
                    keras.layers.Conv2D(4, 1, name="conv2_block1_1_conv"),
                ]
            ),
            "a network of keras.applications, which has its strides elsewhere",
        ),
    ],
)
def test_networks_of_other_strides_are_refused(source, message, monkeypatch):
    monkeypatch.setitem(VARIANTS, "resnet50", (bottleneck_block, ONES))
    model = classifier("resnet50", PROBLEM, width=4)
    with pytest.raises(ValueError, match=message):
        load_encoder_weights(model, source())
