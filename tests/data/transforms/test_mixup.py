"""Mixup: against a loop, on all kinds of loaders, and in training."""

import dataclasses

import every_kind
import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.data import Augment, Batching, Loader, Mixup
from keras_lt.data.pipeline import plan as planned
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.optimizers import SGD
from keras_lt.training import rehearse, run

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (40, 6, 5, 3), "uint8")
LABELS = np.arange(40) % 4
MIXUP = Mixup(1.0, 4)
PUBLISHED = Augment(pad=1, flip=True)
BATCHING = Batching(batch_size=16, transforms=(MIXUP,))
SEED, EPOCH = 5, 2


def batches(kind="numpy", batching=BATCHING, number=3, **options):
    """Images and labels, of whatever makes them."""
    options = {"augment": PUBLISHED, "number": number} | options
    train = (IMAGES, LABELS)
    return every_kind.batches(
        train, kind, batching, SEED, epoch=EPOCH, **options
    )


def test_against_a_loop():
    plain = batches(batching=Batching(batch_size=16))
    for step, ((x, y), (mixed, shares)) in enumerate(
        zip(plain, batches(), strict=True)
    ):
        random = np.random.default_rng((SEED, EPOCH, step, 0, 1))
        share = np.float32(random.beta(1.0, 1.0))
        partners = random.permutation(len(x))
        assert sorted(partners) == [*range(len(x))]
        assert mixed.dtype == "uint8" and shares.dtype == "float32"
        assert shares.shape == (len(x), 4)
        for i, j in enumerate(partners):
            blend = share * x[i].astype("float32") + (1 - share) * x[j]
            np.testing.assert_array_equal(mixed[i], np.round(blend))
            label = np.zeros(4, "float32")
            label[y[i]] += share
            label[y[j]] += 1 - share
            np.testing.assert_allclose(shares[i], label, atol=1e-6)
    assert len({len(x) for x, _ in plain}) == 2  # also the last, smaller one


@pytest.mark.parametrize("kind", every_kind.KINDS)
def test_kinds_agree(kind):
    for (x, y), (x2, y2) in zip(batches(), batches(kind), strict=True):
        assert x2.dtype == "uint8"
        apart = np.abs(x.astype(int) - x2.astype(int))
        assert apart.max() <= 1
        assert (apart > 0).mean() < 0.01
        np.testing.assert_allclose(y, y2, atol=1e-6)


def test_of_an_augmentation_and_of_a_stage():
    """One after the other; without either, nothing changes."""
    both = dataclasses.replace(PUBLISHED, transforms=(MIXUP,))
    plain = Batching(batch_size=16)
    (x, y), *_ = batches(batching=plain, augment=both)
    (x2, y2), *_ = batches()
    np.testing.assert_array_equal(x, x2)
    np.testing.assert_array_equal(y, y2)
    (_, twice), *_ = batches(augment=both)
    np.testing.assert_allclose(twice.sum(1), 1, atol=1e-6)
    assert (twice > 0).sum() > (y > 0).sum()


@pytest.mark.parametrize("kind", ["numpy", "tf.data"])
def test_after_layers(kind):
    augment = Augment(layers=(lambda x, training: x / 2,))
    for x, y in batches(kind, augment=augment):
        assert x.dtype == "float32"
        assert 100 < x.max() <= 127.5
        assert y.shape == (len(x), 4)


def test_replicas_mix_what_they_have(monkeypatch):
    whole = batches(batching=Batching(batch_size=16))
    monkeypatch.setattr(planned, "tf_strategy", lambda: True)
    monkeypatch.setattr(planned, "replicas", lambda: 2)
    monkeypatch.setattr(planned, "local_replicas", lambda: range(2))
    mixed = batches(number=6)
    shares = [y.max(1).min() for _, y in mixed[:4]]
    assert len(set(np.round(shares, 5))) == 4  # each has its own
    for i, (x, y) in enumerate(mixed):
        part = slice(i % 2 * (len(x)), (i % 2 + 1) * len(x))
        labels = whole[i // 2][1][part]
        counts = np.bincount(labels, minlength=4)
        np.testing.assert_allclose(y.sum(0), counts, atol=1e-5)


def test_validation_has_the_form_of_training():
    loader = Loader((IMAGES, LABELS), validation=(IMAGES, LABELS), kind="numpy")
    x, y = loader.validate(BATCHING)
    np.testing.assert_array_equal(y, np.eye(4, dtype="float32")[LABELS])
    _, ids = loader.validate(Batching())
    np.testing.assert_array_equal(ids, LABELS)


def test_labels_that_others_need_are_not_mixed():
    loader = Loader((IMAGES, LABELS), kind="numpy")
    message = "leave labels alone with two views and with soft labels, got.*Mix"
    with pytest.raises(ValueError, match=message):
        loader.feed(dataclasses.replace(BATCHING, two_views=True), 0)
    with pytest.raises(ValueError, match=message):
        loader.feed(BATCHING, 0, soft_labels=np.zeros((40, 4)))


def mixed_recipe():
    """Mixup in stage one, class ids in stage two."""
    recipe = toy.dense_recipe()
    one = dataclasses.replace(
        recipe.stages[0],
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        transforms=(Mixup(0.4, 3),),
    )
    two = dataclasses.replace(
        recipe.stages[1], optimizer=lambda steps: SGD(0.1)
    )
    return dataclasses.replace(
        recipe,
        stages=(one, two),
        metrics=lambda: shot_accuracy_metrics(toy.COUNTS),
    )


def trained(kind, **options):
    loader = toy.loader(kind, validation=toy.test_images(), **options)
    outcome = run(mixed_recipe(), loader, verbose=False)
    return outcome.model.get_weights()


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("tf.data", marks=programs.once("tensorflow")),
        pytest.param("device", marks=programs.once("jax")),
    ],
)
def test_a_stage_of_a_recipe(kind):
    if kind == "tf.data":
        pytest.importorskip("tensorflow")
    expected = trained("numpy")
    for ours, theirs in zip(trained(kind), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    plain = run(toy.dense_recipe(), toy.loader(), verbose=False).model
    assert not np.allclose(expected[0], plain.get_weights()[0])


def test_what_cannot_be_mixed_is_found_in_a_rehearsal():
    recipe = mixed_recipe()
    rehearse(recipe, toy.loader())
    one = dataclasses.replace(recipe.stages[0], soft_labels=lambda model: model)
    recipe = dataclasses.replace(recipe, stages=(one, *recipe.stages[1:]))
    with pytest.raises(ValueError, match="leave labels alone"):
        rehearse(recipe, toy.loader())


def test_bad_arguments():
    with pytest.raises(ValueError, match="`alpha` must be > 0, got 0"):
        Mixup(0, 3)
    with pytest.raises(ValueError, match="`num_classes` must be >= 2, got 1"):
        Mixup(1.0, 1)
