import itertools
import types

import keras
import numpy as np
import pytest
import toy

from keras_lt.data import Augment, Loader
from keras_lt.samplers import ClassBalanced, InstanceBalanced

KINDS = ["numpy", "tf.data"]
TRAIN = toy.images((24, 8, 3), 0)


def stage(sampler=None, batch_size=8, drop_remainder=False):
    return types.SimpleNamespace(
        sampler=sampler or InstanceBalanced(),
        batch_size=batch_size,
        drop_remainder=drop_remainder,
    )


def take(batches, number):
    """Images and labels of the first batches, of either kind."""
    if isinstance(batches, keras.utils.PyDataset):
        first = [batches[i] for i in range(number)]
    else:
        first = itertools.islice(batches, number)
    return [(np.asarray(x), np.asarray(y)) for x, y in first]


def assert_same(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])


def loader(kind="numpy", **options):
    if kind == "tf.data":
        pytest.importorskip("tensorflow")
    return Loader(TRAIN, kind=kind, **options)


@pytest.mark.parametrize("drop_remainder", [False, True])
@pytest.mark.parametrize(
    "augment",
    [
        Augment(),
        Augment(flip=True),
        Augment(pad=2, flip=True),
        Augment(pad=1, flip=True, rotation=15.0),
    ],
)
def test_both_kinds_give_the_same_batches(augment, drop_remainder):
    plan = stage(ClassBalanced(), drop_remainder=drop_remainder)
    ours, theirs = (
        take(loader(kind, augment=augment).train(plan, 7, 1), 12)
        for kind in KINDS
    )
    assert_same(ours, theirs)
    assert ours[0][0].dtype == theirs[0][0].dtype == "uint8"
    assert ours[0][1].dtype == theirs[0][1].dtype == "int64"


@pytest.mark.parametrize("kind", KINDS)
def test_first_epoch_skips_epochs(kind):
    images = loader(kind, augment=Augment(pad=1, flip=True))
    steps = images.steps(stage())
    assert_same(
        take(images.train(stage(), 3, first_epoch=2), 2 * steps),
        take(images.train(stage(), 3), 4 * steps)[2 * steps :],
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("drop_remainder", "sizes"),
    [(False, [8, 8, 8, 8, 3]), (True, [8, 8, 8, 8])],
)
def test_last_batch_of_an_epoch(kind, drop_remainder, sizes):
    images, plan = loader(kind), stage(drop_remainder=drop_remainder)
    assert images.steps(plan) == len(sizes)
    assert images.images(plan) == sum(sizes)
    batches = take(images.train(plan, 0), 2 * len(sizes))
    assert [len(x) for x, _ in batches] == 2 * sizes
    assert [len(y) for _, y in batches] == 2 * sizes


def test_an_epoch_holds_every_image_once_and_epochs_differ():
    batches = take(loader().train(stage(), 0), 10)
    first, second = (
        np.concatenate([x for x, _ in part])
        for part in (batches[:5], batches[5:])
    )
    assert not np.array_equal(first, second)
    for epoch in (first, second):
        ours = np.unique(epoch, axis=0)
        np.testing.assert_array_equal(ours, np.unique(TRAIN[0], axis=0))


@pytest.mark.parametrize("kind", KINDS)
def test_the_sampler_is_asked_for_every_epoch(kind):
    asked = []

    def sampler(labels, seed, epoch):
        asked.append((seed, epoch))
        return np.full(len(labels), epoch)

    batches = take(loader(kind).train(stage(sampler), 5, first_epoch=4), 6)
    for step, (images, labels) in enumerate(batches):
        epoch = 4 + step // 5
        np.testing.assert_array_equal(images[0], TRAIN[0][epoch])
        assert (labels == TRAIN[1][epoch]).all()
    assert asked[:2] == [(5, 4), (5, 5)]
    assert len(asked) == len(set(asked))


def test_seeds_differ():
    one, two = (take(loader().train(stage(), seed), 1) for seed in (0, 1))
    assert not np.array_equal(one[0][0], two[0][0])


def test_numpy_batches_by_number_are_in_any_order():
    batches = loader(augment=Augment(pad=1)).train(stage(), 0)
    late, early = batches[7], batches[2]
    assert_same([early, late], [take(batches, 8)[i] for i in (2, 7)])


def test_layers_must_keep_the_shape():
    augment = Augment(layers=(lambda x, training: x[:, 1:],))
    with pytest.raises(ValueError, match=r"keep images \(8, 8, 1\), got"):
        loader(augment=augment).train(stage(), 0)[0]


def test_default_kind_follows_the_backend():
    on_tensorflow = keras.backend.backend() == "tensorflow"
    assert Loader(TRAIN).kind == KINDS[on_tensorflow]


def test_bad_arguments():
    with pytest.raises(ValueError, match="`kind` must be one of.*'torch'"):
        Loader(TRAIN, kind="torch")
    with pytest.raises(ValueError, match="35 images and 34 labels"):
        Loader((TRAIN[0], TRAIN[1][:-1]))
    big = stage(batch_size=36, drop_remainder=True)
    with pytest.raises(ValueError, match="at most the 35 .*, got 36"):
        Loader(TRAIN).steps(big)
    assert Loader(TRAIN).steps(stage(batch_size=36)) == 1
