import keras
import numpy as np
import pytest
import tiny

from keras_lt import stats
from keras_lt.metrics import ShotAccuracy, shot_accuracy_metrics

COUNTS = (150, 101, 100, 20, 19, 5)
GROUPS = ("overall", "many", "medium", "few")


def batches(seed=0, size=40, number=3):
    """Labels and logits that are right about half of the time."""
    random = np.random.default_rng(seed)
    for _ in range(number):
        labels = random.integers(0, 6, size)
        hints = np.eye(6)[labels] * random.integers(0, 3, (size, 1))
        yield labels, (random.random((size, 6)) + hints).astype("float32")


@pytest.mark.parametrize("group", GROUPS)
def test_batches_add_up_to_the_numpy_number(group):
    metric = ShotAccuracy(COUNTS, group)
    seen = list(batches())
    for labels, logits in seen:
        metric.update_state(labels, logits)
    labels = np.concatenate([labels for labels, _ in seen])
    predictions = np.concatenate([logits.argmax(-1) for _, logits in seen])
    golden = stats.shot_accuracies(predictions, labels, COUNTS)[group]
    assert 0.2 < golden < 0.95
    assert float(metric.result()) == pytest.approx(golden, rel=1e-6)


def test_of_shares_the_largest_counts():
    """Labels that were mixed."""
    ours, theirs = ShotAccuracy(COUNTS), ShotAccuracy(COUNTS)
    for labels, logits in batches():
        others = np.eye(6)[np.roll(labels, 1)]
        ours.update_state(0.6 * np.eye(6)[labels] + 0.4 * others, logits)
        theirs.update_state(labels, logits)
    assert float(ours.result()) == pytest.approx(float(theirs.result()))


def test_groups_average_classes_not_images():
    # Class 0: 1 of 1 right; class 1: 0 of 3.
    labels, logits = [0, 1, 1, 1], np.eye(6)[[0, 0, 0, 0]]
    for group, golden in (("many", 0.5), ("overall", 0.25)):
        metric = ShotAccuracy(COUNTS, group)
        metric.update_state(labels, logits)
        assert float(metric.result()) == pytest.approx(golden)


def test_only_classes_seen_since_the_reset_count():
    metric = ShotAccuracy(COUNTS, "few")
    assert float(metric.result()) == 0
    metric.update_state([4, 5], np.eye(6)[[4, 0]])
    assert float(metric.result()) == pytest.approx(0.5)
    metric.reset_state()
    metric.update_state([4, 0], np.eye(6)[[4, 1]])
    assert float(metric.result()) == pytest.approx(1)


def test_labels_in_a_column():
    for labels, logits in batches(number=1):
        flat, column = ShotAccuracy(COUNTS), ShotAccuracy(COUNTS)
        flat.update_state(labels, logits)
        column.update_state(labels[:, None].astype("float32"), logits)
        assert float(flat.result()) == float(column.result()) > 0


def test_views_are_averaged():
    # The first view says 0, the second 1, their mean 2.
    views = [[[3.0, 0, 2, 0, 0, 0], [0, 3, 2, 0, 0, 0]]]
    for label, golden in ((2, 1), (0, 0), (1, 0)):
        metric = ShotAccuracy(COUNTS)
        metric.update_state([label], views)
        assert float(metric.result()) == golden


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_sample_weight(shape):
    weight = np.reshape([3.0, 1, 0, 1], shape)
    labels, logits = [0, 0, 1, 1], np.eye(6)[[0, 1, 0, 1]]
    # Class 0: 3 of 4; class 1: 1 of 1.
    for group, golden in (("overall", 0.8), ("many", 0.875)):
        metric = ShotAccuracy(COUNTS, group)
        metric.update_state(labels, logits, sample_weight=weight)
        assert float(metric.result()) == pytest.approx(golden)


def test_names():
    assert ShotAccuracy(COUNTS).name == "accuracy"
    assert ShotAccuracy(COUNTS, "few").name == "accuracy_few"
    assert ShotAccuracy(COUNTS, "few", name="tail").name == "tail"
    names = [metric.name for metric in shot_accuracy_metrics(COUNTS)]
    groups = ["accuracy_many", "accuracy_medium", "accuracy_few"]
    assert names == ["accuracy", *groups]
    names = [metric.name for metric in shot_accuracy_metrics([30, 20])]
    assert names == ["accuracy", "accuracy_medium"]


def test_in_a_fit_with_validation():
    model = tiny.linear(np.eye(3) * 5)
    tiny.compiled(
        model,
        keras.optimizers.SGD(0.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=shot_accuracy_metrics([200, 50, 5]),
    )
    x, y = np.eye(3)[[0, 0, 1, 1, 2]], [0, 1, 1, 1, 0]
    history = tiny.fit(model, x, y, validation_data=(x[:2], np.array(y[:2])))
    assert history["accuracy"] == pytest.approx([0.6])
    assert history["accuracy_many"] == pytest.approx([0.5])
    assert history["accuracy_medium"] == pytest.approx([2 / 3])
    assert history["accuracy_few"] == [0]  # no image
    assert history["val_accuracy"] == pytest.approx([0.5])
    assert history["val_accuracy_many"] == pytest.approx([1])


def test_bad_arguments():
    for group in ("most", "fewer"):
        with pytest.raises(ValueError, match="`group` must be one of"):
            ShotAccuracy(COUNTS, group)
    with pytest.raises(ValueError, match="`group` 'few' has no class"):
        ShotAccuracy([50, 20], "few")
    with pytest.raises(ValueError, match="`class_counts`.*class 1"):
        ShotAccuracy([50, 0])


def test_mixed_labels_count_for_their_largest_class():
    for labels, logits in batches(number=1):
        mixed = np.full((len(labels), 6), 0.05) + 0.7 * np.eye(6)[labels]
        ids, ours = ShotAccuracy(COUNTS), ShotAccuracy(COUNTS)
        ids.update_state(labels, logits)
        ours.update_state(mixed.astype("float32"), logits)
        assert float(ids.result()) == float(ours.result()) > 0
