import numpy as np
import pytest

from keras_lt.data import Augment
from keras_lt.data.augment import pick_pixels, pick_pixels_tf

BATCH = np.random.default_rng(0).integers(1, 256, (20, 6, 5, 3), "uint8")


def slowly(images, offsets, mirrored, pad):
    """Pad, crop and flip one image at a time."""
    _, height, width, channels = images.shape
    result = np.empty_like(images)
    for i, image in enumerate(images):
        canvas = np.zeros((height + 2 * pad, width + 2 * pad, channels))
        canvas[pad : pad + height, pad : pad + width] = image
        top, left = offsets[0][i], offsets[1][i]
        crop = canvas[top : top + height, left : left + width]
        result[i] = crop[:, ::-1] if mirrored[i] else crop
    return result


@pytest.mark.parametrize("pad", [0, 1, 4])
@pytest.mark.parametrize("flip", [False, True])
def test_against_a_loop(pad, flip):
    augment = Augment(pad=pad, flip=flip)
    rows, columns = augment.draw(np.random.default_rng(1), *BATCH.shape[:3])
    mirrored = columns[:, 0] > columns[:, -1]
    offsets = rows[:, 0], columns.min(1)
    assert flip == mirrored.any()
    assert min(map(np.min, offsets)) == 0
    assert max(map(np.max, offsets)) == 2 * pad
    ours = pick_pixels(BATCH, rows, columns, pad)
    np.testing.assert_array_equal(ours, slowly(BATCH, offsets, mirrored, pad))
    assert ours.dtype == "uint8"


@pytest.mark.parametrize("pad", [0, 2])
def test_tensorflow_picks_the_same_pixels(pad):
    pytest.importorskip("tensorflow")
    augment = Augment(pad=pad, flip=True)
    rows, columns = augment.draw(np.random.default_rng(1), *BATCH.shape[:3])
    np.testing.assert_array_equal(
        pick_pixels_tf(BATCH, rows, columns, pad),
        pick_pixels(BATCH, rows, columns, pad),
    )


def test_half_of_the_images_are_mirrored():
    draws = Augment(flip=True).draw(np.random.default_rng(0), 10_000, 2, 2)
    mirrored = draws[1][:, 0] == 1
    assert mirrored.mean() == pytest.approx(0.5, abs=0.02)


def test_every_offset_is_equally_likely():
    rows, columns = Augment(pad=1).draw(np.random.default_rng(0), 9000, 2, 2)
    cells = np.bincount(rows[:, 0] * 3 + columns[:, 0])
    np.testing.assert_allclose(cells, 1000, rtol=0.1)


def test_padding_is_zero():
    rows, columns = np.array([[0, 1]]), np.array([[3, 4]])  # upper right corner
    crop = pick_pixels(np.full((1, 2, 3, 1), 9, "uint8"), rows, columns, 2)
    assert crop[0, ..., 0].tolist() == [[0, 0], [0, 0]]
    rows, columns = np.array([[1, 2]]), np.array([[4, 5]])
    crop = pick_pixels(np.full((1, 2, 3, 1), 9, "uint8"), rows, columns, 2)
    assert crop[0, ..., 0].tolist() == [[0, 0], [9, 0]]


def test_arguments():
    assert not Augment().moves_pixels
    assert Augment(pad=1).moves_pixels and Augment(flip=True).moves_pixels
    with pytest.raises(ValueError, match="`pad` must be >= 0, got -1"):
        Augment(pad=-1)
