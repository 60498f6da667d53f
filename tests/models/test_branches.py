import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.models import branch_views, branched_classifier, fused
from keras_lt.training import Problem

PIXELS, _ = toy.test_images()


def trainable(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


@programs.once("jax")
@pytest.mark.parametrize(
    ("backbone", "classes", "form", "parameters"),
    [
        ("resnet32", 10, "normalization", 464_538),
        ("resnet32", 100, "normalization", 470_388),
        ("resnet10", 1000, "convolution", 6_208_296),
        ("resnext50", 1000, "convolution", 37_624_104),
        ("resnext101", 1000, "convolution", 56_772_904),
        ("resnet50", 8142, "convolution", 52_786_190),
    ],
)
def test_published_numbers_of_parameters(
    zeros, backbone, classes, form, parameters
):
    size = 32 if backbone == "resnet32" else 224
    problem = Problem((size, size, 3), (5,) * classes)
    model = branched_classifier(backbone, problem, form=form)
    assert trainable(model) == parameters
    assert model.output_shape == (None, 3, classes)


def small(**options):
    model = branched_classifier("micro", toy.problem(), width=4, **options)
    random = np.random.default_rng(0)
    for layer in model.layers:
        for norm in getattr(layer, "norms", ()):
            shape = norm.gamma.shape
            norm.gamma.assign(random.uniform(0.5, 1.5, shape))
            norm.beta.assign(random.normal(size=shape))
    return model


@programs.once("tensorflow")
def test_views():
    model = small()
    logits = model.predict(PIXELS, verbose=0)
    assert np.abs(logits[:, 0] - logits[:, 1]).max() > 0.1
    ours = fused(model).predict(PIXELS, verbose=0)
    np.testing.assert_allclose(ours, logits.sum(1), rtol=1e-4, atol=1e-4)
    views = branch_views(model)
    assert list(views) == [*("head", "medium", "tail", "head+medium", "fused")]
    for name, golden in (
        ("medium", logits[:, 1]),
        ("head+medium", logits[:, :2].sum(1)),
        ("fused", logits.sum(1)),
    ):
        ours = views[name].predict(PIXELS, verbose=0)
        np.testing.assert_allclose(ours, golden, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@programs.once("jax")
def test_experts_with_branches(tmp_path):
    model = small(num_experts=2)
    assert model.output_shape == (None, 6, 3)
    logits = model.predict(PIXELS, verbose=0)
    mean = logits.reshape(-1, 2, 3, 3).sum(2).mean(1)
    serve = fused(model)
    ours = serve.predict(PIXELS, verbose=0)
    np.testing.assert_allclose(ours, mean, rtol=1e-4, atol=1e-4)
    single = branch_views(model)["head"].predict(PIXELS, verbose=0)
    both = logits[:, 0] + logits[:, 3]
    np.testing.assert_allclose(single, both, rtol=1e-4, atol=1e-4)
    serve.save(tmp_path / "model.keras")
    back = keras.saving.load_model(tmp_path / "model.keras")
    again = back.predict(PIXELS, verbose=0)
    np.testing.assert_allclose(again, ours, rtol=1e-5, atol=1e-5)


@programs.once("tensorflow")
@pytest.mark.parametrize("form", ["normalization", "convolution"])
def test_released_evaluation_graph(form):
    model = small(form=form)
    head = model.get_layer("head")
    plain = fused(model).predict(PIXELS, verbose=0)
    released = fused(model, tau=0.0).predict(PIXELS, verbose=0)
    if form == "normalization":  # the order is no matter: the bias alone
        bias = 3 * keras.ops.convert_to_numpy(head.bias)
        np.testing.assert_allclose(released + bias, plain, atol=1e-4)
    else:
        assert np.abs(released - plain).max() > 1e-3
        # With the pooling before the block in both, they agree.
        same = small(form=form, pool="before")
        same.set_weights(model.get_weights())
        same.get_layer("head").bias.assign(np.zeros(3))
        ours = fused(same).predict(PIXELS, verbose=0)
        np.testing.assert_allclose(ours, released, atol=1e-4)
    turned = fused(model, tau=1.0).predict(PIXELS, verbose=0)
    norms = np.linalg.norm(keras.ops.convert_to_numpy(head.kernel), axis=0)
    np.testing.assert_allclose(turned, released / norms, rtol=1e-3, atol=1e-3)


def test_bad_number_of_experts():
    with pytest.raises(ValueError, match="`num_experts` must be >= 1, got 0"):
        small(num_experts=0)
