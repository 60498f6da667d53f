"""KerasHub's transformers, tiny and random, with small parts that learn."""

import keras
import numpy as np
import programs
import pytest

from keras_lt.layers import AdaptFormer
from keras_lt.models import AdaptedEncoder
from keras_lt.models.transformer_blocks import blocks, projections

hub = pytest.importorskip("keras_hub")
pytestmark = pytest.mark.slow
SIDE, WIDTH = (32, 32, 3), 32
SIZES = {"num_layers": 2, "num_heads": 2, "hidden_dim": WIDTH}
NETWORKS = {
    "ViTBackbone": {"patch_size": (16, 16), "mlp_dim": 64},
    "DINOV2Backbone": {
        "patch_size": 16,
        "intermediate_dim": 64,
        "num_register_tokens": 2,
    },
    "DINOV3Backbone": {
        "patch_size": 16,
        "intermediate_dim": 64,
        "num_register_tokens": 2,
    },
    "SigLIPVisionEncoder": {"patch_size": 16, "intermediate_dim": 64},
    "CLIPVisionEncoder": {"patch_size": 16, "intermediate_dim": 64},
}
EVERY = pytest.mark.parametrize("name", NETWORKS)
ON = {"ViTBackbone": "tensorflow", "DINOV3Backbone": "tensorflow"}
ONCE = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=programs.once(ON.get(name, "jax")))
        for name in NETWORKS
    ],
)


def encoder(name):
    kind = getattr(hub.models, name)
    inner = kind(image_shape=SIDE, **SIZES, **NETWORKS[name])
    images = keras.Input(SIDE)
    named = isinstance(inner.input, dict)
    tokens = inner({next(iter(inner.input)): images} if named else images)
    features = tokens[:, 0] if len(tokens.shape) == 3 else tokens
    return keras.Model(images, features, name="encoder")


def pictures():
    return np.random.default_rng(0).normal(size=(2, *SIDE)).astype("float32")


@ONCE
def test_starts_as_it_was_learns_folds_and_comes_back(name, tmp_path):
    made, images = encoder(name), pictures()
    # Not the attention of SigLIP's pooling, and not nothing of DINOv3.
    assert len(blocks(made)) == 2
    assert [len(projections(block)) for block in blocks(made)] == [2, 2]
    before = keras.ops.convert_to_numpy(made(images))
    frozen = [keras.ops.convert_to_numpy(v) for v in made.variables]
    adapted = AdaptedEncoder(made, lora=2, adaptformer=3, scale_and_shift=True)
    ours = keras.ops.convert_to_numpy(adapted(images))
    np.testing.assert_allclose(ours, before, atol=5e-6)  # A2

    assert len(adapted.learners) == 2 * 2 + 2 + 1
    sizes = {AdaptFormer: 2 * WIDTH * 3 + 3 + 3 * WIDTH + 1}
    for part in adapted.learners:
        assert part.count_params() >= sizes.get(type(part), 0)
    count = sum(int(np.prod(v.shape)) for v in adapted.small_variables)
    assert count == 2 * (4 * WIDTH * 2 + sizes[AdaptFormer]) + 2 * WIDTH

    random = np.random.default_rng(1)
    for variable in adapted.small_variables:
        change = 0.2 * random.normal(size=variable.shape)
        variable.assign(variable + change)
    small = {id(v) for v in adapted.small_variables}
    left = [v for v in adapted.variables if id(v) not in small]
    for mine, theirs in zip(left, frozen, strict=True):
        np.testing.assert_array_equal(mine, theirs)

    after = keras.ops.convert_to_numpy(adapted(images))
    assert np.abs(after - before).max() > 0.1
    folded = adapted.folded()
    assert folded.lora == 0 and folded.adaptformer == 3
    np.testing.assert_allclose(folded(images), after, atol=1e-5)
    inputs = keras.Input(SIDE)
    keras.Model(inputs, adapted(inputs)).save(tmp_path / "model.keras")
    back = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(back(images), after, atol=1e-5)


@EVERY
def test_lora_alone_leaves_nothing_behind(name):
    made, images = encoder(name), pictures()
    plain = {v.shape for v in made.variables}, len(made.variables)
    adapted = AdaptedEncoder(made, lora=1)
    for variable in adapted.small_variables:
        variable.assign(variable + 0.1)
    folded = adapted.folded()
    assert isinstance(folded, keras.Model)
    assert plain == ({v.shape for v in folded.variables}, len(folded.variables))
    np.testing.assert_allclose(folded(images), adapted(images), atol=1e-5)


def test_kerashub_would_train_nothing_of_dinov3():
    """The trap that LoRA here has not."""
    inner = hub.models.DINOV3Backbone(
        image_shape=SIDE, **SIZES, **NETWORKS["DINOV3Backbone"]
    )
    inner.enable_lora(2)
    assert not inner.trainable_weights
