# Goldens: tests/cards/lift.md, section 4 (MDA).
import numpy as np
import pytest

from keras_lt.data import Augment
from keras_lt.data.transforms.windows import (
    draw_windows,
    least_share,
    place_windows,
)

FIVE = [0.08, 0.109214, 0.203257, 0.391477, 1]
FIFTEEN = [
    *(0.08, 0.08235, 0.089436, 0.101371, 0.11835, 0.140674, 0.168773),
    *(0.203257, 0.245, 0.295293, 0.356134, 0.430898, 0.526128, 0.658539, 1),
]


@pytest.mark.parametrize("golden", [FIVE, FIFTEEN])
def test_golden_shares(golden):
    ours = [least_share(e, len(golden), 0.08) for e in range(len(golden))]
    np.testing.assert_allclose(ours, golden, rtol=1e-5)
    assert least_share(0, 1, 0.08) == 1  # no division by zero
    assert least_share(99, 5, 0.08) == 1


@pytest.mark.parametrize("sides", [(32, 32), (30, 40)])
def test_windows_are_squares_that_grow(sides):
    augment = Augment(crop_scale=(0.08, 1.0), growing=5)
    random, smallest = np.random.default_rng(0), []
    for epoch in range(5):
        drawn = augment.draw(random, 3000, *sides, 3, epoch=epoch)
        _, rows, _, columns = drawn["window"].T
        np.testing.assert_array_equal(rows, columns)
        smallest.append(rows.min())
    golden = np.rint(np.sqrt(np.multiply(FIVE, np.prod(sides))))
    assert smallest == pytest.approx(np.minimum(golden, min(sides)), abs=1)


def test_the_largest_square_lies_anywhere():
    drawn = draw_windows(np.random.default_rng(0), 50, (1, 1), square=True)
    top, rows, left, columns = place_windows(drawn, 30, 40).T
    assert {*rows, *columns} == {30} and {*top} == {0}
    assert len({*left}) > 5


def test_bad_arguments():
    with pytest.raises(ValueError, match="`growing` must be >= 0"):
        Augment(crop_scale=(0.1, 0.5), growing=3)
