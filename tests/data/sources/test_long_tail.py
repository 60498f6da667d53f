import numpy as np
import pytest

from keras_lt.data.sources.long_tail import (
    DataError,
    exponential_counts,
    index_hash,
    long_tail_indices,
    step_counts,
)

CIFAR100 = np.arange(50_000) % 100
CIFAR10 = np.arange(50_000) % 10
SIX = np.arange(60) % 6


def local_ranks(indices, num_classes):
    """Rank r of an image: it is the r-th of its class in the file."""
    return indices // num_classes  # labels are `arange(N) % num_classes`


@pytest.mark.parametrize(
    ("num_classes", "largest", "ratio", "total", "last"),
    [
        (100, 500, 10, 19_573, 50),
        (100, 500, 20, 15_907, 25),
        (100, 500, 50, 12_608, 10),
        (100, 500, 100, 10_847, 5),
        (100, 500, 200, 9_502, 2),
        (10, 5000, 10, 20_431, 500),
        (10, 5000, 20, 17_023, 250),
        (10, 5000, 50, 13_996, 100),
        (10, 5000, 100, 12_406, 50),
        (10, 5000, 200, 11_203, 25),
    ],
)
def test_totals_of_cifar(num_classes, largest, ratio, total, last):
    counts = exponential_counts(num_classes, largest, ratio)
    assert sum(counts) == total
    assert (counts[0], counts[-1]) == (largest, last)
    assert len(counts) == num_classes
    assert list(counts) == sorted(counts, reverse=True)


@pytest.mark.parametrize(
    ("ratio", "many", "medium", "few"),
    [(100, 35, 35, 30), (50, 41, 41, 18), (10, 69, 31, 0)],
)
def test_shot_groups_of_cifar100(ratio, many, medium, few):
    counts = np.array(exponential_counts(100, 500, ratio))
    assert (counts > 100).sum() == many
    assert ((counts <= 100) & (counts >= 20)).sum() == medium
    assert (counts < 20).sum() == few


def test_step_profile():
    counts = step_counts(100, 500, 100)
    assert counts == (500,) * 50 + (5,) * 50
    assert step_counts(3, 500, 10) == (500, 50, 50)


@pytest.mark.parametrize("profile", [exponential_counts, step_counts])
def test_ratio_of_one_is_balanced(profile):
    assert profile(3, 7, 1) == (7, 7, 7)


@pytest.mark.parametrize("profile", [exponential_counts, step_counts])
@pytest.mark.parametrize("ratio", [0.99, 0, -1])
def test_ratio_below_one(profile, ratio):
    with pytest.raises(ValueError, match="`imbalance_ratio` must be >= 1"):
        profile(10, 500, ratio)


def test_subset_of_cifar100():
    train, validation = long_tail_indices(
        CIFAR100, exponential_counts(100, 500, 100)
    )
    first = [9000, 25400, 28300, 44500, 46100, 1500, 31600, 48900]
    assert train[:8].tolist() == first
    assert train[-5:].tolist() == [34899, 15399, 36399, 36199, 29999]
    assert train.sum() == 271_164_136
    assert train.dtype == "int64"
    assert index_hash(train).startswith("7ebcb6242d814b39")
    assert len(validation) == 0


def test_ranks_of_cifar100():
    counts = exponential_counts(100, 500, 100)
    train, _ = long_tail_indices(CIFAR100, counts)
    ranks = local_ranks(train, 100)
    first = [90, 254, 283, 445, 461, 15, 316, 489, 159, 153]
    assert ranks[:10].tolist() == first
    assert ranks[500:505].tolist() == [277, 307, 436, 88, 261]
    assert ranks[-10:-5].tolist() == [290, 347, 167, 356, 272]
    assert ranks[-5:].tolist() == [348, 153, 363, 361, 299]
    assert ranks.sum() == 2_709_482
    np.testing.assert_array_equal(
        CIFAR100[train], np.repeat(range(100), counts)
    )


def test_ranks_of_cifar10():
    train, _ = long_tail_indices(CIFAR10, exponential_counts(10, 5000, 100))
    ranks = local_ranks(train, 10)
    assert ranks[:5].tolist() == [398, 3833, 4836, 4572, 636]
    assert ranks[-50:-45].tolist() == [2204, 3816, 2206, 2507, 1926]
    assert ranks.sum() == 30_953_231


def test_the_legacy_generator_of_numpy_is_left_alone():
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    long_tail_indices(SIX, [3] * 6)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("subset", ["first", "precut"])
def test_first_images_in_file_order(subset):
    labels = np.array([1, 0, 0, 1, 1, 0])
    train, _ = long_tail_indices(labels, [3, 1], subset=subset)
    assert train.tolist() == [1, 2, 5, 0]


@pytest.mark.parametrize("subset", ["ldam", "first"])
def test_validation_split(subset):
    counts = [10, 8, 7, 4, 2, 1]
    alone, _ = long_tail_indices(SIX, counts, subset=subset)
    train, validation = long_tail_indices(
        SIX, counts, subset=subset, validation_per_class=3
    )
    assert not set(train) & set(validation)
    assert np.bincount(SIX[validation]).tolist() == [3] * 6  # balanced
    assert np.bincount(SIX[train]).tolist() == [7, 7, 7, 4, 2, 1]
    assert set(train) < set(alone)
    small = SIX[alone] >= 2
    np.testing.assert_array_equal(alone[small], train[SIX[train] >= 2])


def test_validation_as_large_as_a_class():
    with pytest.raises(DataError, match="below the 10 images of class 0"):
        long_tail_indices(SIX, [1] * 6, validation_per_class=10)


@pytest.mark.parametrize("count", [0, 11])
def test_impossible_count(count):
    with pytest.raises(DataError, match=f"class 1 .* its 10 images.*{count}"):
        long_tail_indices(SIX, [5, count, 5, 5, 5, 5])


def test_arguments():
    with pytest.raises(ValueError, match="`subset`.*'random'"):
        long_tail_indices(SIX, [1] * 6, subset="random")
    with pytest.raises(ValueError, match="`validation_per_class`.*-1"):
        long_tail_indices(SIX, [1] * 6, validation_per_class=-1)
    assert issubclass(DataError, ValueError)
