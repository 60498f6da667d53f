# Goldens: tests/cards/ssd.md.
import keras
import numpy as np
import programs
import toy

from keras_lt.models import (
    contrastive_classifier,
    folded,
    head_views,
    plain_classifier,
    scaled_classifier,
    two_headed,
)
from keras_lt.training import Problem, freeze

IMAGENET = Problem((224, 224, 3), (5,) * 1000)
PIXELS = toy.test_images()[0]


def first(**options):
    return contrastive_classifier(
        "micro",
        toy.problem(),
        width=4,
        batch_size=2,
        queue_size=6,
        **options,
    )


def size(variables):
    return sum(int(np.prod(v.shape)) for v in variables)


def weights(model):
    """Number of weights, without statistics, queue and their like."""
    states = ("moving_", "queue", "pointer", "seed_")
    return size(v for v in model.variables if not v.name.startswith(states))


def logits(model, *inputs):
    outputs = model([PIXELS, *inputs] if inputs else PIXELS, training=False)
    return keras.ops.convert_to_numpy(outputs)


def shuffle(layer, seed=0):
    random = np.random.default_rng(seed)
    layer.set_weights(
        [random.normal(size=w.shape) for w in layer.get_weights()]
    )


@programs.once("jax")
def test_parameters(zeros):
    model = contrastive_classifier(
        "resnext50", IMAGENET, batch_size=2, queue_size=4
    )
    assert weights(model) == 56_926_056
    assert size(model.trainable_variables) == 29_487_528
    teacher = scaled_classifier(model)
    freeze(teacher, statistics="fixed")
    student = two_headed("resnext50", IMAGENET, teacher=teacher)
    # The card's teacher and student; the scales are 1,000 of them.
    assert weights(student) == 52_107_808
    assert size(student.trainable_variables) == 27_077_904


def test_views_share_the_weights():
    model = first()
    plain = plain_classifier(model)
    expected = logits(plain)
    labels = np.zeros(len(PIXELS), "int32")
    ours = logits(model, PIXELS[::-1], labels)
    np.testing.assert_allclose(ours, expected, atol=1e-6)
    scaled = scaled_classifier(model)
    np.testing.assert_allclose(logits(scaled), expected, atol=1e-6)
    for view in (plain, scaled):
        assert view.get_layer("head") is model.get_layer("head")
        assert view.get_layer("encoder") is model.get_layer("contrast").encoder
    assert scaled.layers[-1].name == "scales"
    assert head_views(model) == head_views(scaled) == {}


def test_folding_is_one_encoder_and_one_dense_layer():
    scaled = scaled_classifier(first())
    shuffle(scaled.get_layer("scales"))
    shuffle(scaled.get_layer("head"))
    served = folded(scaled)
    names = [layer.name for layer in served.layers]
    assert names == ["images", "normalize", "encoder", "head"]
    expected = logits(scaled)
    assert np.abs(expected - logits(plain_classifier(scaled))).max() > 0.1
    np.testing.assert_allclose(logits(served), expected, rtol=1e-5, atol=1e-5)


def test_two_heads_and_a_teacher():
    teacher = scaled_classifier(first())
    student = two_headed("micro", toy.problem(), teacher=teacher, width=4)
    assert student.output_shape == (None, 3, 3)
    views = head_views(student)
    assert list(views) == ["hard", "soft", "teacher"]
    outputs = logits(student)
    for number, name in enumerate(("soft", "hard", "teacher")):
        np.testing.assert_allclose(
            outputs[:, number], logits(views[name]), atol=1e-6
        )
    np.testing.assert_allclose(outputs[:, 2], logits(teacher), atol=1e-6)
    np.testing.assert_allclose(
        logits(folded(student)), outputs[:, 0], rtol=1e-5, atol=1e-5
    )
    # The last stage scales the hard head.
    scaled = scaled_classifier(student)
    np.testing.assert_allclose(logits(scaled), outputs[:, 1], atol=1e-6)


def test_soft_labels_as_an_input():
    student = two_headed("micro", toy.problem(), teacher=None, width=4)
    lesson = np.random.default_rng(0).normal(size=(len(PIXELS), 3))
    outputs = logits(student, lesson.astype("float32"))
    np.testing.assert_allclose(outputs[:, 2], lesson, rtol=1e-6)
    assert list(head_views(student)) == ["hard", "soft"]
    np.testing.assert_allclose(
        logits(folded(student)), outputs[:, 0], rtol=1e-5, atol=1e-5
    )
