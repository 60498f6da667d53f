# Goldens: tests/cards/ride.md and reslt.md, sections 2; the laws of
# kaidic/LDAM-DRW, frank-xwang/RIDE-LongTailRecognition, jiequancui/ResLT.
import keras
import numpy as np
import programs
import pytest

from keras_lt.methods import METHODS
from keras_lt.training import Problem

PROBLEM = Problem((32, 32, 3), (20,) * 200)
# Features of 64 (48 of thin experts): the narrow network for CIFAR, and one of
# those for 224x224 pixels.
CIFAR = {"backbone": "resnet8", "width": 16}
IMAGENET = {"backbone": "resnet10", "width": 8}
LINEAR = {"head": "linear", "loss": "ce"}


def built(method, **options):
    keras.utils.set_random_seed(0)
    return METHODS[method](PROBLEM, **options)


def is_uniform(values, fan):
    """PyTorch's law of a linear layer."""
    bound = fan**-0.5
    near = values.std() == pytest.approx(bound / 3**0.5, rel=0.05)
    return near and 0.95 * bound < np.abs(values).max() <= bound


def is_normal(values, fan):
    """Kaiming's law, not truncated."""
    near = values.std() == pytest.approx((2 / fan) ** 0.5, rel=0.05)
    return near and np.abs(values).max() > 2.5 * values.std()


@programs.once("tensorflow")
@pytest.mark.parametrize(
    ("method", "options", "head", "fan", "law"),
    [
        ("ce", CIFAR, "head", 64, is_normal),
        ("ce", IMAGENET, "head", 64, is_uniform),
        ("ldam", CIFAR | {"loss": "focal"}, "head", 64, is_normal),
        ("ldam", IMAGENET | {"loss": "ce"}, "head", 64, is_uniform),
        ("ride", CIFAR | LINEAR, "expert2_head", 48, is_normal),
        ("ride", IMAGENET | LINEAR, "expert2_head", 48, is_uniform),
        ("reslt", CIFAR, "head", 64, is_uniform),
        ("reslt", IMAGENET | {"form": "convolution"}, "head", 64, is_uniform),
        (
            "reslt",
            IMAGENET | {"num_experts": 2},
            "expert2_head",
            48,
            is_uniform,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_linear_heads(method, options, head, fan, law):
    layer = built(method, **options).build().get_layer(head)
    kernel, bias = np.array(layer.kernel), np.array(layer.bias)
    assert kernel.shape == (fan, 200)
    assert [law for law in (is_uniform, is_normal) if law(kernel, fan)] == [law]
    assert np.abs(bias).max() == pytest.approx(fan**-0.5, rel=0.1)
    assert bias.std() == pytest.approx((3 * fan) ** -0.5, rel=0.15)


@programs.once("tensorflow")
@pytest.mark.parametrize(
    ("method", "head"), [("ldam", "head"), ("ride", "expert1_head")]
)
@pytest.mark.parametrize("options", [CIFAR, IMAGENET], ids=["cifar", "large"])
def test_cosine_heads(method, head, options):
    layer = built(method, **options).build().get_layer(head)
    kernel = np.array(layer.kernel)
    norms = np.linalg.norm(kernel, axis=0)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)
    # Of uniform vectors: all within sqrt(3 / D), but for their own lengths.
    widest = np.abs(kernel).max() * len(kernel) ** 0.5
    assert 3**0.5 < widest < 1.4 * 3**0.5
    assert np.mean(kernel**4) / np.mean(kernel**2) ** 2 == pytest.approx(
        9 / 5, rel=0.05
    )


@pytest.mark.parametrize(
    ("options", "law"),
    [(CIFAR, is_normal), (IMAGENET, is_uniform)],
    ids=["cifar", "large"],
)
def test_routers(options, law):
    made = built("ride", top_k=150, **options)
    routed = made.stages[-1].setup(made.build())
    router = routed.get_layer("router")
    assert law(np.array(router.kernel), 48)
    # 166 values: too few for a tail, enough for their spread.
    readout, bound = np.array(router.readout), 166**-0.5
    spread = bound * (2**0.5 if law is is_normal else 3**-0.5)
    assert readout.std() == pytest.approx(spread, rel=0.15)
    assert (np.abs(readout).max() > bound) == (law is is_normal)
    bias = np.array(router.bias)
    assert bias.shape == (2, 16) and np.abs(bias).max() <= 48**-0.5
    assert bias.std() == pytest.approx((3 * 48) ** -0.5, rel=0.3)
