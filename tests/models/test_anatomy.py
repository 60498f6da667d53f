"""Parts are found in models, in views, in nested and in loaded ones."""

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt import models
from keras_lt.models import anatomy
from keras_lt.training import freeze

pytestmark = programs.once("jax")

PIXELS = toy.test_images()[0][:4]


def plain():
    return models.classifier("micro", toy.problem(), width=4)


def experts(**options):
    return models.multi_expert("micro", toy.problem(), width=4, **options)


def routed():
    return models.add_router(experts(), top_k=3)


def branched(**options):
    return models.branched_classifier(
        "micro", toy.problem(), width=4, **options
    )


def contrastive():
    return models.contrastive_classifier(
        "micro", toy.problem(), width=4, batch_size=2, queue_size=4
    )


def student():
    """With two heads, and a teacher that has encoder and head as well."""
    return models.two_headed("micro", toy.problem(), teacher=plain(), width=4)


def scaled():
    return models.scaled_classifier(student())


def served():
    return models.early_exit(routed())


def taught():
    return models.with_teacher(experts(), experts(num_experts=2))


# Encoders, heads, and whether there are a trunk and a router.
EXPERTS = ["expert1", "expert2", "expert3"]
EXPERT_HEADS = [f"{name}_head" for name in EXPERTS]
PARTS = {
    plain: (["encoder"], ["head"], False, False),
    experts: (EXPERTS, EXPERT_HEADS, True, False),
    routed: (EXPERTS, EXPERT_HEADS, True, True),
    served: (EXPERTS, EXPERT_HEADS, True, True),
    taught: (EXPERTS, EXPERT_HEADS, True, False),
    branched: (["encoder"], ["head"], False, False),
    contrastive: (["encoder"], ["head"], False, False),
    student: (["encoder"], ["hard_head", "soft_head"], False, False),
    scaled: (["encoder"], ["hard_head"], False, False),
}


def itself(model, folder):
    return model


def nested(model, folder):
    """A user's model around it."""
    inputs = [keras.Input(x.shape[1:], dtype=x.dtype) for x in model.inputs]
    logits = model(inputs if len(inputs) > 1 else inputs[0])
    outputs = keras.layers.Activation("softmax", name="head_of_user")(logits)
    return keras.Model(inputs, outputs)


def loaded(model, folder):
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras", compile=False)


def nested_and_loaded(model, folder):
    return loaded(nested(nested(model, folder), folder), folder)


WAYS = (itself, nested, loaded, nested_and_loaded)


# Models in models that were loaded are both; of some, each alone.
CASES = [
    (make, way)
    for make in PARTS
    for way in WAYS
    if way in (itself, nested_and_loaded) or make in (routed, scaled)
]


@pytest.mark.parametrize(("make", "way"), CASES)
def test_parts(make, way, zeros, tmp_path):
    names, heads, has_trunk, has_router = PARTS[make]
    model = way(make(), tmp_path)
    assert [part.name for part in anatomy.encoders(model)] == names
    assert [part.name for part in anatomy.heads(model)] == heads
    assert (anatomy.trunk(model) is not None) == has_trunk
    assert anatomy.has_router(model) == has_router
    assert (anatomy.router(model) is not None) == has_router
    pairs = [each.name for pair in anatomy.classifiers(model) for each in pair]
    if "hard_head" in heads:
        assert pairs == []  # the encoder has no head of its own
    else:
        assert pairs[::2] == names and pairs[1::2] == heads
    if not has_trunk:
        assert anatomy.hard_head(model).name == heads[0]
    assert bool(anatomy.scales(model)) == (make is scaled)
    assert bool(anatomy.contrast(model)) == (make is contrastive)
    assert bool(anatomy.teacher(model)) == (make in (student, taught))
    own = anatomy.body(model)
    assert (own is model) == (way in (itself, loaded))
    assert set(anatomy.heads(model)) <= set(own.layers)


@pytest.mark.parametrize("way", [itself, nested_and_loaded])
@pytest.mark.parametrize("make", [plain, experts, contrastive, scaled])
def test_features_are_what_heads_read(make, way, tmp_path):
    model = way(make(), tmp_path)
    images = keras.Input((8, 8, 1))
    found = anatomy.features(model, images)
    logits = [
        head(x) for head, x in zip(anatomy.heads(model), found, strict=True)
    ]
    ours = keras.Model(images, models.experts.stack(logits)).predict_on_batch(
        PIXELS
    )
    inner = anatomy.body(model)
    if make is contrastive:
        inner = models.plain_classifier(inner)
    expected = np.asarray(inner.predict_on_batch(PIXELS))
    np.testing.assert_allclose(
        ours.reshape(expected.shape), expected, rtol=1e-5, atol=1e-6
    )


def test_features_of_the_own_input():
    model = nested(plain(), None)
    (features,) = anatomy.features(model)
    inner = anatomy.body(model)
    found = keras.Model(inner.inputs, features).predict_on_batch(PIXELS)
    assert found.shape == (4, 8)
    expected = anatomy.encoders(model)[0](
        anatomy.normalized(model, PIXELS.astype("float32"))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_views_of_one_expert(zeros):
    view = models.expert_views(experts())["expert2"]
    assert [part.name for part in anatomy.heads(view)] == ["expert2_head"]
    assert [part.name for part in anatomy.encoders(view)] == ["expert2"]


def test_ten_experts_are_in_the_order_of_their_numbers(zeros):
    model = experts(num_experts=10)
    expected = [f"expert{number}" for number in range(1, 11)]
    assert [part.name for part in anatomy.encoders(model)] == expected
    heads = [f"{name}_head" for name in expected]
    assert [head.name for head in anatomy.expert_heads(model)] == heads


def test_other_models_have_no_parts():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    assert anatomy.body(model) is model
    assert anatomy.encoders(model) == anatomy.heads(model) == []
    assert anatomy.classifiers(model) == anatomy.expert_heads(model) == []
    assert anatomy.trunk(model) is anatomy.router(model) is None
    with pytest.raises(ValueError, match="must have a layer 'head', got"):
        anatomy.hard_head(model)
    with pytest.raises(ValueError, match="must have a layer 'normalize'"):
        anatomy.features(model)


def test_a_teacher_around_experts_is_left_as_it_is():
    """What a user put around a teacher belongs to what it says."""
    teacher = nested(experts(), None)
    logits = keras.layers.GlobalAveragePooling1D()(teacher.outputs[0])
    teacher = keras.Model(teacher.inputs[0], logits)
    freeze(teacher, statistics="fixed")
    taught = models.with_teacher(experts(), teacher)
    found = taught.predict_on_batch(PIXELS)[:, -1]
    np.testing.assert_allclose(
        found, teacher.predict_on_batch(PIXELS), rtol=1e-5, atol=1e-6
    )


def test_inside_of_an_encoder(zeros):
    encoder = models.resnet((8, 8, 3), depth=18, width=4)
    pairs = anatomy.convolutions(encoder)
    assert len(pairs) == 17  # and one for each of three shortcuts
    assert [layer.name for layer in pairs[0]] == ["stem_conv", "stem_bn"]
    conv, norm = pairs[-1]
    assert anatomy.place(conv) == (4, 2, "2", "conv")
    assert anatomy.place(norm) == (4, 2, "2", "bn")
    assert anatomy.place(pairs[0][1]) == (None, None, None, "bn")
    side = encoder.get_layer("stage2_block1_shortcut_bn")
    assert anatomy.place(side) == (2, 1, anatomy.SHORTCUT, "bn")
    assert anatomy.maps_before_pooling(encoder).shape == (None, 1, 1, 32)
    assert not anatomy.is_expert(encoder)
    assert anatomy.is_expert(anatomy.encoders(experts())[0])
