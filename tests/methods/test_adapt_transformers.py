"""Every step on tiny random transformers of KerasHub: train, resume, export."""

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.export import export
from keras_lt.layers import LoRA
from keras_lt.methods import METHODS
from keras_lt.models import BACKBONES, AdaptedEncoder, anatomy
from keras_lt.training import predict_logits, run

hub = pytest.importorskip("keras_hub")
pytestmark = pytest.mark.slow
SIZES = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8}
NETWORKS = {
    "ViTBackbone": {"patch_size": (4, 4), "mlp_dim": 8},
    "DINOV2Backbone": {"patch_size": 4, "intermediate_dim": 8},
    "DINOV3Backbone": {"patch_size": 4, "intermediate_dim": 8},
    "SigLIPVisionEncoder": {"patch_size": 4, "intermediate_dim": 8},
    "CLIPVisionEncoder": {"patch_size": 4, "intermediate_dim": 8},
}

FORMATS = {  # two have what ONNX does not: erfc, constants from outside
    "tensorflow": {"ViTBackbone": "onnx", "DINOV3Backbone": "onnx"},
    "jax": {"CLIPVisionEncoder": "saved_model"},
}


def encoder(name, input_shape, width=None):
    height, columns, _ = input_shape
    inner = getattr(hub.models, name)(
        image_shape=(height, columns, 3), **SIZES, **NETWORKS[name]
    )
    images = keras.Input(input_shape)
    coloured = keras.ops.repeat(images, 3, axis=-1)
    named = isinstance(inner.input, dict)
    tokens = inner({next(iter(inner.input)): coloured} if named else coloured)
    features = tokens[:, 0] if len(tokens.shape) == 3 else tokens
    return keras.Model(images, features, name=anatomy.ENCODER)


ON = {"ViTBackbone": "tensorflow", "DINOV3Backbone": "tensorflow"}
EACH = [
    pytest.param(name, marks=programs.once(ON.get(name, "jax")))
    for name in NETWORKS
]


@pytest.mark.parametrize("name", EACH)
def test_trains_resumes_saves_and_exports(name, tmp_path, monkeypatch):
    def of_hub(input_shape, **options):
        return encoder(name, input_shape)

    monkeypatch.setitem(BACKBONES, "hub", of_hub)
    made = METHODS["adapt"](
        toy.problem(), backbone="hub", epochs=(2, 2), batch_size=16, crop=None
    )
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    frozen = {}

    def keep(stage, model):
        (inner,) = anatomy.encoders(model)
        small = set()
        if isinstance(inner, AdaptedEncoder):
            small = {id(variable) for variable in inner.small_variables}
            assert len(small) == 2 * (4 + 7)  # q and v; AdaptFormer
        frozen[stage.name] = [
            keras.ops.convert_to_numpy(variable)
            for variable in inner.variables
            if id(variable) not in small
        ]

    def train(folder, kill=()):
        return run(
            made,
            toy.loader(),
            workdir=folder,
            on_stage_end=keep,
            callbacks=lambda s: kill if s.name == "light" else (),
            checkpoint_seconds=0,
            verbose=False,
            jit_compile=False,
        ).model

    model = train(whole, [toy.CopyIn(1, whole, cut)])
    for each in zip(*frozen.values(), strict=True):
        np.testing.assert_array_equal(each[0], each[1])
        np.testing.assert_array_equal(each[0], each[2])
    for mine, theirs in zip(
        train(cut).get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)

    pixels, _ = toy.test_images()
    logits = predict_logits(model, pixels)
    serve = made.serve(model)
    (inner,) = anatomy.encoders(serve)
    assert not any(isinstance(part, LoRA) for part in inner.learners)
    np.testing.assert_allclose(
        predict_logits(serve, pixels), logits, rtol=1e-4, atol=1e-4
    )
    serve.save(tmp_path / "model.keras")
    back = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        predict_logits(back, pixels), predict_logits(serve, pixels), atol=1e-4
    )
    kind = FORMATS[keras.backend.backend()].get(name)
    if kind:  # checked by itself
        pytest.importorskip("tensorflow")
        path = tmp_path / ("served" + (kind == "onnx") * ".onnx")
        export(serve, path, format=kind, class_counts=toy.COUNTS)
