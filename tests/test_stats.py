import numpy as np
import pytest

from keras_lt import groups, stats


def tail(imbalance_ratio):
    """Class counts of CIFAR-100-LT."""
    shares = (1 / imbalance_ratio) ** (np.arange(100) / 99)
    return np.floor(500 * shares + 1e-9).astype(int)


@pytest.mark.parametrize(
    ("imbalance_ratio", "golden", "train_mean"),
    [
        (
            100,
            {
                0: 0.0448756601,
                34: 0.2156657351,
                35: 0.2244236015,
                49: 0.4302343201,
                70: 1.1529942090,
                99: 4.3783125627,
            },
            0.2028699838,
        ),
        (50, {0: 0.0788891447, 99: 3.8493883660}, 0.3070927129),
        (10, {0: 0.2581852055, 99: 2.5246665651}, 0.6496516219),
    ],
)
def test_class_balanced_weights_of_cifar100(
    imbalance_ratio, golden, train_mean
):
    counts = tail(imbalance_ratio)
    weights = stats.class_balanced_weights(counts)
    for class_id, weight in golden.items():
        assert weights[class_id] == pytest.approx(weight, abs=1e-9)
    assert weights.sum() == pytest.approx(100)
    mean = (counts * weights).sum() / counts.sum()
    assert mean == pytest.approx(train_mean, abs=1e-9)


@pytest.mark.parametrize(
    ("beta", "weights"),
    [
        (0.9999, [0.0276896, 0.27076302, 2.70154738]),
        (0.999, [0.03411077, 0.27516942, 2.69071981]),
        (0, [1, 1, 1]),
    ],
)
def test_class_balanced_weights_by_beta(beta, weights):
    ours = stats.class_balanced_weights([500, 50, 5], beta)
    np.testing.assert_allclose(ours, weights, atol=1e-7)


def test_effective_numbers():
    counts = [500, 7, 2, 1]
    for beta in (0.9, 1 - 2**-29):  # where 1 - beta**n loses many digits
        reference = [sum(beta**i for i in range(n)) for n in counts]
        ours = stats.effective_numbers(counts, beta)
        np.testing.assert_allclose(ours, reference, rtol=1e-12)


def test_shot_groups_of_cifar100():
    many, medium, few = stats.shot_groups(tail(100))
    assert (len(many), len(medium), len(few)) == (35, 35, 30)
    assert (medium[0], few[0]) == (35, 70)
    means = 0.35 * 72.2 + 0.35 * 49.6 + 0.30 * 34.9
    assert means == pytest.approx(53.10, abs=0.01)
    for imbalance_ratio, sizes in ((50, (41, 41, 18)), (10, (69, 31, 0))):
        groups = stats.shot_groups(tail(imbalance_ratio))
        assert tuple(len(group) for group in groups) == sizes


def test_bucket_averages_make_the_overall_accuracy():
    counts = tail(100)
    labels = np.repeat(np.arange(100), 1000)
    rate = np.repeat([722, 496, 349], [35, 35, 30])
    right = np.tile(np.arange(1000), 100) < np.repeat(rate, 1000)
    predictions = np.where(right, labels, (labels + 1) % 100)
    accuracies = stats.shot_accuracies(predictions, labels, counts)
    del accuracies["macro_f1"], accuracies["worst_class"]
    golden = {
        "overall": 0.531,
        "balanced": 0.531,
        "many": 0.722,
        "medium": 0.496,
        "few": 0.349,
    }
    assert accuracies == pytest.approx(golden, abs=1e-9)


def test_shot_accuracies_at_the_borders():
    counts = [150, 101, 100, 50, 20, 19, 5]
    rate = np.array([9, 8, 7, 6, 5, 4, 2])
    labels = np.repeat(np.arange(7), 10)
    right = np.tile(np.arange(10), 7) < np.repeat(rate, 10)
    predictions = np.where(right, labels, (labels + 1) % 7)
    accuracies = stats.shot_accuracies(predictions, labels, counts)
    golden = {"many": 0.85, "medium": 0.6, "few": 0.3, "overall": 4.1 / 7}
    del accuracies["macro_f1"]
    golden |= {"balanced": 4.1 / 7, "worst_class": 0.2}
    assert accuracies == pytest.approx(golden)


def test_classes_of_a_group_count_alike_and_images_overall():
    predictions, labels = [0, 1, 0, 0, 2], [0, 1, 1, 1, 2]
    accuracies = stats.shot_accuracies(predictions, labels, [200, 150, 5])
    golden = {"many": (1 + 1 / 3) / 2, "few": 1.0, "overall": 3 / 5}
    golden["balanced"] = (1 + 1 / 3 + 1) / 3
    golden["macro_f1"] = (2 / 4 + 2 / 4 + 1) / 3
    golden["worst_class"] = 1 / 3
    assert accuracies == pytest.approx(golden)


def test_groups_without_classes_or_labels_are_absent():
    accuracies = stats.shot_accuracies([0, 1], [0, 0], [200, 50, 150])
    golden = {"overall": 0.5, "balanced": 0.5, "many": 0.5, "worst_class": 0.5}
    assert accuracies == pytest.approx({**golden, "macro_f1": 2 / 3})


def test_thirds_of_the_images_are_never_empty():
    def sizes(counts):
        return [len(group) for group in groups.thirds(counts)]

    assert sizes([10] * 9) == [3, 3, 3]
    assert sizes([1000, 2, 1]) == sizes([1, 1, 1]) == [1, 1, 1]
    assert sizes([5, 4, 3, 1000]) == [1, 1, 2]
    assert sizes([7, 9]) == [1, 0, 1]
    assert sizes([7]) == [1, 0, 0]
    head, body, tail = groups.thirds([30, 50, 40, 60])  # 60, 50, 40, 30 of 180
    assert [*head, *body, *tail] == [3, 1, 2, 0]
    accuracies = stats.shot_accuracies(
        [0, 1, 2, 0], [0, 1, 2, 2], [9, 8, 7], "thirds"
    )
    assert accuracies["tail"] == 0.5
    with pytest.raises(ValueError, match="`groups` must be one of"):
        groups.class_groups([1, 2], "halves")


def test_class_accuracies_of_unseen_classes_are_nan():
    ours = stats.class_accuracies(np.array([0, 1, 1]), np.array([0, 0, 1]), 3)
    np.testing.assert_array_equal(ours, [0.5, 1, np.nan])


def test_count_classes():
    assert stats.count_classes([2, 0, 2], 4) == (1, 0, 2, 0)
    assert stats.count_classes(np.array([[1], [1]]), 2) == (0, 2)
    assert stats.count_classes([], 2) == (0, 0)
    for labels in ([0, 3], [-1, 0]):
        with pytest.raises(ValueError, match=r"`labels` must be in \[0, 3\)"):
            stats.count_classes(labels, 3)


def test_check_class_counts():
    checked = stats.check_class_counts(np.array([3.0, 1.0]))
    assert checked == (3, 1)
    assert all(type(count) is int for count in checked)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([], "non-empty"),
        (7, "non-empty"),
        ([[1, 2]], "non-empty"),
        ([5, 0], "got 0 for class 1"),
        ([5, 2, -3], "got -3 for class 2"),
        ([1.5], "got 1.5 for class 0"),
        ([1, float("nan")], "got nan for class 1"),
        ([1, float("inf")], "got inf for class 1"),
    ],
)
def test_bad_class_counts(counts, message):
    for use in (stats.check_class_counts, stats.class_balanced_weights):
        with pytest.raises(ValueError, match="`class_counts`.*" + message):
            use(counts)


@pytest.mark.parametrize("beta", [-0.1, 1, 1.2, float("nan")])
def test_bad_beta(beta):
    with pytest.raises(ValueError, match="`beta`"):
        stats.effective_numbers([5], beta)


# Class vectors are columns; tests/cards/wb.md writes them as rows.
KERNEL = np.array([[3, 4], [0, 1], [0.6, 0.8], [0, 2]]).T


def test_class_norms():
    np.testing.assert_allclose(stats.class_norms(KERNEL), [5, 1, 1, 2])
    convolution = np.arange(24.0).reshape(2, 2, 3, 2)
    norms = np.linalg.norm(convolution.reshape(12, 2), axis=0)
    np.testing.assert_allclose(stats.class_norms(convolution), norms)


@pytest.mark.parametrize(
    ("fraction", "radius"), [(0.1, 1.4), (0, 1), (0.5, 3), (1, 5)]
)
def test_max_norm_radius(fraction, radius):
    ours = stats.max_norm_radius(KERNEL, fraction)
    assert ours == pytest.approx(radius)
    assert isinstance(ours, float)


def test_max_norm_radius_by_default():
    kernel = np.array([[1, 0.2], [0.1, 0.7], [-0.3, -0.2]]).T
    assert stats.max_norm_radius(kernel) == pytest.approx(0.4264800051)


@pytest.mark.parametrize("fraction", [-0.1, 1.1])
def test_bad_fraction(fraction):
    with pytest.raises(ValueError, match="`fraction`"):
        stats.max_norm_radius(KERNEL, fraction)


def test_tau_normalize():
    kernel = np.array([[3.0], [4.0]])
    for tau, golden in (
        (1, [0.6, 0.8]),
        (1.9, [0.1409542732, 0.1879390309]),
        (0, [3, 4]),
    ):
        ours = stats.tau_normalize(kernel, tau)[:, 0]
        np.testing.assert_allclose(ours, golden, rtol=1e-9)
    assert kernel[0, 0] == 3  # a new array


def test_tau_turns_the_order_of_norms_around():
    kernel = np.eye(3) * [1.085, 0.70, 0.43]
    norms = stats.class_norms(stats.tau_normalize(kernel, 1.9))
    np.testing.assert_allclose(norms, [0.9292086, 1.3785159, 2.1373635])


def test_tau_normalize_keeps_zero_vectors_and_dtype():
    kernel = np.array([[0, 2], [0, 0]], "float32")
    for tau in (1.0, 1.9):
        ours = stats.tau_normalize(kernel, tau)
        assert ours.dtype == "float32"
        np.testing.assert_allclose(ours[:, 0], 0)
    np.testing.assert_allclose(stats.tau_normalize(kernel)[:, 1], [1, 0])


def test_bad_tau():
    with pytest.raises(ValueError, match="`tau`"):
        stats.tau_normalize(KERNEL, -0.5)


def test_frequency_ranks():
    assert stats.frequency_ranks([7, 2, 9, 4]).tolist() == [1, 3, 0, 2]
    # Rank from the rarest, as released for ImageNet-LT.
    assert (3 - stats.frequency_ranks([7, 2, 9, 4])).tolist() == [2, 0, 3, 1]
    assert stats.frequency_ranks([5, 5, 9, 5]).tolist() == [1, 2, 0, 3]
