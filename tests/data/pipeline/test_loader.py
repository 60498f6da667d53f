import itertools

import keras
import numpy as np
import pytest
import toy

from keras_lt.data import Augment, AutoAugment, Batching, Cutout, Loader
from keras_lt.data.pipeline import plan as planned
from keras_lt.samplers import ClassBalanced, InstanceBalanced

KINDS = ["numpy", "tf.data"]
TRAIN = toy.images((24, 8, 3), 0)


def stage(sampler=None, **options):
    options = {"batch_size": 8} | options
    return Batching(sampler=sampler or InstanceBalanced(), **options)


def take(batches, number):
    """Inputs and labels of the first batches, of either kind."""
    if isinstance(batches, keras.utils.PyDataset):
        first = [batches[i] for i in range(number)]
    else:
        first = itertools.islice(batches, number)
    return [keras.tree.map_structure(np.asarray, batch) for batch in first]


def assert_same(ours, theirs):
    ours, theirs = keras.tree.flatten(ours), keras.tree.flatten(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


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
        Augment(pad=1, flip=True, crop_scale=(0.2, 1.0), blur_share=0.5),
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


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_replicas_share_what_one_takes(processes, monkeypatch):
    """Each image of a batch goes to one of them, in order, as it is."""
    policies = (AutoAugment(), Cutout(4))
    augment = Augment(pad=2, flip=True, rotation=15.0, policies=policies)
    plan = stage(two_views=True, batch_size=12)  # the last batch has 11

    def batches(number):
        data = loader(augment=augment).train(plan, 3)
        return [data[j] for j in range(number)]

    whole, shares = batches(6), []
    monkeypatch.setattr(planned, "tf_strategy", lambda: True)
    monkeypatch.setattr(planned, "replicas", lambda: 4)
    own = 4 // processes
    for first in range(0, 4, own):
        numbers = range(first, first + own)
        monkeypatch.setattr(planned, "local_replicas", lambda n=numbers: n)
        found = batches(6 * own)
        shares += [found[replica::own] for replica in range(own)]
    for step, batch in enumerate(whole):
        theirs = [share[step] for share in shares]
        if step % 3 == 2:  # 11 images: whole for everyone
            for each in theirs:
                assert_same(each, batch)
        else:
            joined = keras.tree.map_structure(
                lambda *parts: np.concatenate(parts), *theirs
            )
            assert_same(joined, batch)


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


SECOND = Augment(crop_scale=(0.3, 1.0), jitter=(0.4, 0.4, 0.4, 0.1))


@pytest.mark.parametrize("first", [Augment(), Augment(pad=1, flip=True)])
def test_two_views(first):
    plan = stage(two_views=True)
    ours, theirs = (
        take(
            loader(kind, augment=first, second_view=SECOND).train(plan, 7, 1), 7
        )
        for kind in KINDS
    )
    assert_same(ours, theirs)
    # The first view is that of a stage with one.
    plain = take(loader(augment=first).train(stage(), 7, 1), 7)
    assert_same(plain, [(x[0], y) for x, y in ours])
    for (images, second, labels), again in ours:
        np.testing.assert_array_equal(labels, again)
        assert images.shape == second.shape
        different = (images != second).reshape(len(images), -1).any(1)
        assert different.mean() > 0.9


def test_views_of_the_same_augmentation_are_drawn_anew():
    images = loader(augment=Augment(pad=2)).train(stage(two_views=True), 0)
    (first, second, _), _ = images[0]
    assert (first != second).any((1, 2, 3)).mean() > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_soft_labels_follow_their_images(kind):
    soft = np.arange(35, dtype="float32")[:, None] * [1, 2, 3]
    soft = soft.astype("float32")
    images = loader(kind)
    for (x, ours), labels in take(images.train(stage(), 1, 0, soft), 6):
        for pixels, row, label in zip(x, ours, labels, strict=True):
            (number,) = np.flatnonzero((TRAIN[0] == pixels).all((1, 2, 3)))
            np.testing.assert_array_equal(row, soft[number])
            assert label == TRAIN[1][number]


def test_validation_has_the_form_of_training():
    x, y = toy.test_images()
    images = loader(validation=(x, y))
    soft = np.zeros((len(x), 3))
    assert loader().validate(stage()) is None
    assert_same(images.validate(stage()), (x, y))
    assert_same(images.validate(stage(two_views=True)), ((x, x, y), y))
    assert_same(images.validate(stage(), soft), ((x, soft), y))


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
