import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt import models
from keras_lt.layers import LWS
from keras_lt.models import new_heads
from keras_lt.training import freeze, predict_logits

PIXELS = toy.test_images()[0][::4]
OPTIONS = {"width": 4}


def made(family):
    """Training model of a family, and what it serves."""
    problem = toy.problem()
    if family in ("linear", "cosine"):
        model = models.classifier("micro", problem, head=family, **OPTIONS)
        return model, model
    if family == "experts":
        model = models.multi_expert("micro", problem, num_experts=2, **OPTIONS)
        return model, models.ensemble(model)
    if family == "routed":
        model, serve = made("experts")
        return models.add_router(model, top_k=2), serve
    if family == "branches":
        model = models.branched_classifier("micro", problem, **OPTIONS)
        return model, models.fused(model)
    if family == "two_headed":
        model = models.two_headed("micro", problem, teacher=None, **OPTIONS)
    elif family == "scaled":
        model, _ = made("linear")
        model = models.scaled_classifier(model)
        model.get_layer("scales").scales.assign([0.5, 2, 3])
    return model, models.folded(model)


FAMILIES = ("linear", "cosine", "experts", "branches", "two_headed", "scaled")


@programs.once("tensorflow")
@pytest.mark.parametrize("family", FAMILIES)
def test_copies_say_the_same(family):
    model, serve = made(family)
    copy = new_heads.served(new_heads.remade(model, new_heads.same, "copy"))
    ours = predict_logits(copy, PIXELS)
    theirs = predict_logits(serve, PIXELS)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["linear", "cosine", "experts"])
def test_learned_factors_are_served_in_plain_classifiers(family, tmp_path):
    model, _ = made(family)
    model = new_heads.remade(model, new_heads.scaled, "lws")
    for number, layer in enumerate(new_heads.scales(model)):
        layer.scales.assign([0.5 + number, 2, -1])
    serve = new_heads.served(model)
    assert not any(isinstance(layer, LWS) for layer in serve.layers)
    expected = predict_logits(model, PIXELS)
    if family == "experts":
        expected = expected.mean(1)
    ours = predict_logits(serve, PIXELS)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)
    serve.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        predict_logits(loaded, PIXELS), ours, rtol=1e-5, atol=1e-5
    )
    assert not new_heads.views(model)


def test_routers_and_their_column_are_left_out():
    model, _ = made("routed")
    for layer in model.layers:
        freeze(layer, statistics="fixed")
    new = new_heads.remade(model, new_heads.redrawn, "crt")
    assert new.output_shape == (None, 2, 3)
    assert "router" not in [layer.name for layer in new.layers]
    assert all(head.trainable for head in new_heads.heads(new))
    assert [*new_heads.views(new)] == ["expert1", "expert2", "ensemble"]


def test_redrawn_classifiers_are_new_and_the_old_ones_stay():
    model, _ = made("linear")
    before = [np.array(w) for w in model.get_layer("head").get_weights()]
    new = new_heads.remade(model, new_heads.redrawn, "crt")
    for old, mine, kept in zip(
        before,
        new.get_layer("head").get_weights(),
        model.get_layer("head").get_weights(),
        strict=True,
    ):
        assert not np.allclose(old, mine)
        np.testing.assert_array_equal(old, kept)
    assert new.get_layer("encoder") is model.get_layer("encoder")


@pytest.mark.parametrize("bias", [False, True])
def test_normalised(bias):
    model, _ = made("linear")
    remake = new_heads.normalised(1.0, bias)
    head = new_heads.remade(model, remake, "tau").get_layer("head")
    kernel, biases = head.get_weights()
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1, rtol=1e-5)
    old = model.get_layer("head").get_weights()[1]
    np.testing.assert_array_equal(biases, old if bias else 0 * old)
    cosine, _ = made("cosine")
    with pytest.raises(ValueError, match="'tau' would change nothing"):
        new_heads.remade(cosine, remake, "tau")
    # Learned factors are norms.
    scaled = new_heads.remade(cosine, new_heads.scaled, "lws")
    scaled.get_layer("scales").scales.assign([1.0, 2, 3])
    again = new_heads.remade(scaled, remake, "tau").get_layer("head")
    norms = np.linalg.norm(again.get_weights()[0], axis=0)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)


@pytest.mark.parametrize("family", ["linear", "cosine", "experts"])
def test_shifted(family):
    model, serve = made(family)
    by = np.array([0.5, 0, -2])
    new = new_heads.remade(model, new_heads.shifted(by), "la")
    ours = predict_logits(new_heads.served(new), PIXELS)
    theirs = predict_logits(serve, PIXELS)
    np.testing.assert_allclose(ours, theirs + by, rtol=1e-4, atol=1e-5)


@programs.once("jax")
@pytest.mark.parametrize("family", ["branches", "experts"])
def test_features_are_what_the_classifiers_see(family):
    model, _ = made(family)
    new = new_heads.remade(model, new_heads.same, "copy")
    found = predict_logits(new_heads.features(new), PIXELS)
    logits = predict_logits(new, PIXELS)
    several = family == "experts"
    for e, head in enumerate(new_heads.heads(new)):
        features = found[:, e] if several else found
        expected = logits[:, e] if several else logits
        ours = keras.ops.convert_to_numpy(head(features))
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


def test_what_a_start_has_to_find():
    model, _ = made("routed")
    names = {layer.name for layer in new_heads.own_heads(model).layers}
    assert {"trunk", "expert1", "expert1_head"} <= names
    assert "router" not in names
    model, _ = made("two_headed")  # of which stages take copies
    assert new_heads.own_heads(model) is model
