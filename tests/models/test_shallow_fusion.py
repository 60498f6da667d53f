# Goldens: tests/cards/shike.md, section 2.
import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.models import anatomy, fused_experts, load_encoder_weights
from keras_lt.models.backbones import encoder
from keras_lt.problem import Problem

pytestmark = programs.once("tensorflow")


def trainable(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


@pytest.mark.parametrize(
    ("classes", "experts", "head", "golden"),
    [  # there with two sets of classifiers; here it is one
        (100, 3, "cosine", 1_277_008 - 3 * 6400),
        (100, 1, "cosine", 502_288 - 6400),
        (10, 3, "cosine", 1_242_448 - 3 * 640),
        (100, 3, "linear", 1_258_108),
    ],
)
def test_parameters(classes, experts, head, golden):
    problem = Problem((32, 32, 3), (5,) * classes)
    model = fused_experts("resnet32b", problem, num_experts=experts, head=head)
    assert trainable(model) == golden
    assert model.output_shape == (None, experts, classes)
    if experts == 3 and classes == 100:
        branches = [
            trainable(model.get_layer(f"expert{n}_shallow")) for n in (1, 2, 3)
        ]
        assert branches == [23_232, 18_560, 23_232]


def tiny(**options):
    return fused_experts("resnet8", toy.problem(), width=4, **options)


def test_experts_multiply_deep_and_shallow_maps():
    model = tiny(num_experts=2)
    pixels = toy.images((2, 1, 1), 0)[0].astype("float32")
    maps = anatomy.trunk(model)(anatomy.normalized(model, pixels))
    assert [tuple(each.shape[1:]) for each in maps] == [(8, 8, 4), (4, 4, 8)]
    logits = np.array(model(pixels))
    for number in (1, 2):
        name = f"expert{number}"
        shallow = np.array(model.get_layer(f"{name}_shallow")(maps[number - 1]))
        deep = np.array(model.get_layer(name)(maps[1]))
        # The second of two steps has no ReLU, a single one has.
        assert (shallow.min() < 0) == (number == 1)
        assert deep.shape == shallow.shape == (4, 2, 2, 16)
        found = model.get_layer(f"{name}_head")((deep * shallow).mean((1, 2)))
        np.testing.assert_allclose(
            logits[:, number - 1], found, rtol=1e-4, atol=1e-4
        )


def test_a_trained_encoder_fits():
    """Into trunk and last stages; branches stay as they are."""
    model = tiny()
    source = encoder("resnet8", (8, 8, 1), width=4)
    source.set_weights([w + 0.5 for w in source.get_weights()])
    branch = model.get_layer("expert1_shallow").get_weights()
    assert load_encoder_weights(model, source) == []
    for name in ("trunk", "expert1", "expert3"):
        for layer in model.get_layer(name).layers:
            for mine, theirs in zip(
                layer.get_weights(),
                source.get_layer(layer.name).get_weights()
                if layer.weights
                else [],
                strict=True,
            ):
                np.testing.assert_array_equal(mine, theirs)
    for mine, old in zip(
        model.get_layer("expert1_shallow").get_weights(), branch, strict=True
    ):
        np.testing.assert_array_equal(mine, old)


def test_comes_back_from_disk(tmp_path):
    model = tiny(num_experts=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    pixels = toy.images((2, 1, 1), 0)[0]
    np.testing.assert_allclose(loaded(pixels), model(pixels), rtol=1e-5)


def test_at_least_one():
    with pytest.raises(ValueError, match="`num_experts` must be >= 1, got 0"):
        tiny(num_experts=0)
