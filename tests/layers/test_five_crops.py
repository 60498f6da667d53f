# Goldens: tests/cards/lift.md, A6.
import numpy as np
import pytest

from keras_lt.layers import FiveCrops
from keras_lt.layers.five_crops import corners, enlarged


@pytest.mark.parametrize(
    ("sides", "size", "golden"),
    [
        ((10, 12), 8, [(0, 0), (0, 4), (2, 0), (2, 4), (1, 2)]),
        ((10, 12), 7, [(0, 0), (0, 5), (3, 0), (3, 5), (2, 2)]),
        ((248, 248), 224, [(0, 0), (0, 24), (24, 0), (24, 24), (12, 12)]),
        ((248, 330), 224, [(0, 0), (0, 106), (24, 0), (24, 106), (12, 53)]),
    ],
)
def test_golden_corners(sides, size, golden):
    assert corners(sides, (size, size)) == golden


def test_golden_sizes():
    assert enlarged((300, 400), 224) == (248, 330)
    assert enlarged((32, 32), 224) == (248, 248)


def test_crops_of_an_image_come_one_after_the_other():
    images = np.zeros((2, 30, 30, 1), "uint8")
    images[1] = 200
    images[0, :15, :15] = 100
    crops = np.asarray(FiveCrops((28, 28))(images))
    assert crops.shape == (10, 28, 28, 1)
    np.testing.assert_allclose(crops[5:], 200, rtol=1e-5)
    means = crops[:5].mean((1, 2, 3))
    assert means[0] > means[4] > means[3] > 0  # first corner, centre, last
    assert means[1] == pytest.approx(means[2], rel=1e-4)


def test_too_large():
    with pytest.raises(ValueError, match="`size` must be at most"):
        corners((4, 4), (5, 4))
