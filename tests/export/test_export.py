"""Artefacts answer as the model does, without Keras."""

import re
import subprocess
import sys

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt import models
from keras_lt.export import answer, artefact, export
from keras_lt.training import predict

pytestmark = pytest.mark.slow

PIXELS, _ = toy.test_images()
NAMES = ("left", "middle", "right")
# Asks all endpoints of a SavedModel where nothing of Keras can be imported.
ASK = """
import json, sys
sys.modules.update({"keras": None, "keras_lt": None})
import numpy as np
import tensorflow as tf
folder, images, answers, body = sys.argv[1:]
loaded, pixels = tf.saved_model.load(folder), np.load(images)
found = {}
for case, batch in {
    "whole": pixels, "none": pixels[:0],
    "large": np.repeat(np.repeat(pixels[:2], 2, 1), 2, 2),
}.items():
    for name, signature in loaded.signatures.items():
        priors = {"uniform": [1.0, 1.0, 1.0], "trained": [24.0, 8.0, 3.0]}
        if name != "serve_with_prior":
            priors = {"": None}
        for kind, prior in priors.items():
            more = {} if prior is None else {"prior": tf.constant(prior)}
            outputs = signature(images=tf.constant(batch), **more)
            for output, value in outputs.items():
                value = value.numpy()
                value = value.astype("S9") if value.dtype == object else value
                found["/".join((case, name + kind, output))] = value
body = json.loads(body)
inputs = {
    name: tf.constant(value, tf.uint8 if name == "images" else tf.float32)
    for name, value in body["inputs"].items()
}
outputs = loaded.signatures[body["signature_name"]](**inputs)
found["request"] = outputs["probabilities"].numpy()
np.savez(answers, **found)
"""
COUNTS = (24, 8, 3)  # the prior of the request in the page
PAGE = (programs.ROOT / "docs/how-to/serve.md").read_text()
(REQUEST,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def routed():
    keras.utils.set_random_seed(0)
    model = models.multi_expert("micro", toy.problem(), width=4)
    model = models.add_router(model, top_k=2)
    # Some rows stay, some go on.
    view = keras.Model(model.inputs[0], model.get_layer("router").output)
    routes = predict(view, PIXELS, batch_size=60)
    router = model.get_layer("router")
    router.readout_bias.assign(router.readout_bias - np.median(routes))
    return models.early_exit(model)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """A routed model, and what its SavedModel says, by case and endpoint."""
    folder, model = tmp_path_factory.mktemp("export"), routed()
    with pytest.MonkeyPatch.context() as patch:
        if keras.backend.backend() == "tensorflow":
            programs.ask_here(patch)
        apart = export(
            model,
            folder / "served",
            class_counts=COUNTS,
            class_names=NAMES,
            views=models.expert_views(model),
            images=PIXELS,
            metadata={"dataset": "toy"},
        )
    assert apart < 1e-4
    np.save(folder / "images.npy", PIXELS)
    paths = [folder / name for name in ("served", "images.npy", "out.npz")]
    subprocess.run(
        [sys.executable, "-c", ASK, *map(str, paths), REQUEST],
        check=True,
        capture_output=True,
    )
    return model, folder, dict(np.load(paths[-1]))


def test_serve(answers):
    model, _, found = answers
    logits = predict(model, PIXELS, batch_size=60)
    for endpoint in ("serve", "serving_default", "serve_with_priortrained"):
        np.testing.assert_allclose(
            found[f"whole/{endpoint}/logits"], logits, rtol=1e-5, atol=1e-5
        )
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(
        found["whole/serve/probabilities"], shares, rtol=1e-4, atol=1e-6
    )
    names = found["whole/serve/class_names"]
    assert names.tolist() == [[name.encode() for name in NAMES]] * 60


def test_a_prior_moves_the_logits(answers):
    _, _, found = answers
    moved = found["whole/serve_with_prioruniform/logits"]
    shift = moved - found["whole/serve/logits"]
    adjusted = np.log(1 / 3) - np.log(np.array(COUNTS) / 35)
    np.testing.assert_allclose(shift, np.tile(adjusted, (60, 1)), rtol=1e-4)


def test_experts(answers):
    model, _, found = answers
    views = models.expert_views(model)
    for number, (name, view) in enumerate(views.items()):
        np.testing.assert_allclose(
            found["whole/experts/logits"][:, number],
            predict(view, PIXELS, batch_size=60),
            rtol=1e-5,
            atol=1e-5,
        )
        assert found["whole/experts/experts"][0, number] == name.encode()


def test_routing_skips_and_answers_the_same(answers):
    model, _, found = answers
    used = predict(models.experts_used(model), PIXELS, batch_size=60)
    assert 1 < used.mean() < 3
    np.testing.assert_array_equal(
        found["whole/serve_routed/experts_used"], used
    )
    np.testing.assert_allclose(
        found["whole/serve_routed/logits"],
        found["whole/serve/logits"],
        rtol=1e-5,
        atol=1e-5,
    )


def test_no_image_and_other_sizes(answers):
    _, _, found = answers
    for endpoint in ("serve", "serve_with_prioruniform", "serve_routed"):
        assert found[f"none/{endpoint}/probabilities"].shape == (0, 3)
        shares = found[f"large/{endpoint}/probabilities"]
        np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)
    assert found["none/experts/logits"].shape == (0, 4, 3)
    # Pixels that were doubled are halved again.
    np.testing.assert_allclose(
        found["large/serve/logits"],
        found["whole/serve/logits"][:2],
        rtol=1e-4,
        atol=1e-4,
    )


def test_the_request_of_the_readme(answers):
    _, _, found = answers
    assert found["request"].shape == (1, 3)
    np.testing.assert_allclose(found["request"].sum(), 1, rtol=1e-5)


def test_metadata(answers):
    _, folder, _ = answers
    content = answer.read_metadata(folder / "served")
    assert content["class_names"] == [*NAMES]
    assert content["class_counts"] == [*COUNTS]
    assert content["image_shape"] == [8, 8, 1]
    assert content["dataset"] == "toy"
    left = {path.name for path in folder.iterdir()}
    assert left == {"served", "images.npy", "out.npz"}


@programs.once("tensorflow")  # which writes in any case
@pytest.mark.parametrize("format", ["onnx", "litert"])
def test_files(format, tmp_path):
    model = routed()
    path = tmp_path / f"model.{format}"
    apart = export(
        model,
        path,
        format=format,
        class_counts=COUNTS,
        views=models.expert_views(model),
        images=PIXELS,
    )
    assert apart < 1e-4
    assert [*tmp_path.iterdir()] == [path]
    assert answer.read_metadata(path)["class_names"] == ["0", "1", "2"]


@programs.once("jax")
def test_keras_format(tmp_path):
    model, path = routed(), tmp_path / "model.keras"
    assert export(model, path, format="keras", class_counts=COUNTS) == 0
    assert answer.read_metadata(path)["class_counts"] == [*COUNTS]
    with pytest.raises(ValueError, match="needs Keras to answer"):
        answer.load(path)
    back = keras.saving.load_model(path)
    np.testing.assert_array_equal(
        predict(back, PIXELS, batch_size=60),
        predict(model, PIXELS, batch_size=60),
    )


@programs.once("tensorflow")
@pytest.mark.parametrize("name", ["served", "model.keras"])
def test_a_sequential_model(name, tmp_path, monkeypatch):
    if name == "served":
        programs.ask_here(monkeypatch)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), *layers, keras.layers.Dense(3)]
    )
    format = "keras" if "." in name else "saved_model"
    export(model, tmp_path / name, format=format, class_counts=COUNTS)


@programs.once("jax")
@pytest.mark.parametrize(
    "model",
    [
        keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)]),
        keras.Sequential([keras.Input((9,)), keras.layers.Dense(3)]),
        keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Dense(3)]),
    ],
)
def test_models_without_the_shapes_of_a_classifier(model, tmp_path):
    with pytest.raises(ValueError, match="`model` must be a functional model"):
        export(model, tmp_path / "served", class_counts=COUNTS)


@programs.once("jax")
def test_an_artefact_that_differs_is_not_written(tmp_path, monkeypatch):
    predict = artefact.predict
    monkeypatch.setattr(
        artefact,
        "predict",
        lambda model, images, batch_size, calls=[]: (
            predict(model, images, batch_size=batch_size)
            + (calls.append(1) or 2e-4 * len(calls))
        ),
    )
    with pytest.raises(ValueError, match="differs by 0.0002"):
        export(
            routed(),
            tmp_path / "model.keras",
            format="keras",
            class_counts=COUNTS,
        )
    assert not [*tmp_path.iterdir()]


@programs.once("jax")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"format": "torch"}, "`format` must be one of"),
        ({"class_counts": (3, 2)}, "`class_counts` must have one entry"),
        ({"class_names": ("a", "b")}, "`class_names` must have one entry"),
        ({"path": "."}, "`path`: . exists already"),
        ({"path": "m", "format": "onnx"}, "`path` must end in .onnx for the"),
    ],
    ids=str,
)
def test_bad_arguments(arguments, words, tmp_path):
    given = {"path": tmp_path / "new", "class_counts": COUNTS} | arguments
    with pytest.raises(ValueError, match=words):
        export(routed(), given.pop("path"), **given)
    assert not [*tmp_path.iterdir()]


@keras.saving.register_keras_serializable(package="tests")
class Determinant(keras.layers.Layer):
    """What no converter knows."""

    def call(self, x):
        x = keras.ops.reshape(x[:, :9], (-1, 3, 3))
        return keras.ops.linalg.inv(x + keras.ops.eye(3))[:, 0]


@programs.once("tensorflow")  # another process does not know this layer
def test_a_format_that_cannot_hold_the_model_is_refused(tmp_path):
    images = keras.Input((3, 3, 1))
    flat = keras.layers.Flatten()(images)
    model = keras.Model(images, Determinant()(flat))
    with pytest.raises(ValueError, match="cannot be written as 'onnx'") as info:
        export(model, tmp_path / "m.onnx", format="onnx", class_counts=COUNTS)
    assert len(str(info.value).splitlines()) == 1
    assert not [*tmp_path.iterdir()]


@programs.once("jax")
def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(artefact.FORMATS, "onnx", ("no_such_package",))
    with pytest.raises(ValueError, match=r"needs no_such_package.*\[export\]"):
        export(
            routed(), tmp_path / "m.onnx", format="onnx", class_counts=COUNTS
        )
