import math

import numpy as np
import pytest

from keras_lt.data import Augment
from keras_lt.data.transforms import moves
from keras_lt.data.transforms.moves import UNIT, move, pick, source_pixels, turn

BATCH = np.random.default_rng(0).integers(1, 256, (20, 6, 5, 3), "uint8")


def draws(augment, images=BATCH, seed=1):
    drawn = augment.draw(np.random.default_rng(seed), *images.shape)
    return source_pixels(drawn, *images.shape[1:3], np)


def numbers(augment, batch, seed=1):
    """Offsets, mirrored, angles: the same draws, taken one by one."""
    random = np.random.default_rng(seed)
    offsets = random.integers(0, 2 * augment.pad + 1, (2, batch), "int32")
    mirrored = random.random(batch) < 0.5 * augment.flip
    angles = np.zeros(batch)
    if augment.rotation:
        angles = random.uniform(-augment.rotation, augment.rotation, batch)
    return offsets.T, mirrored, angles


def slowly(image, offset, mirror, angle, pad):
    """Pad, crop, flip and turn one image, a pixel at a time."""
    height, width, channels = image.shape
    canvas = np.zeros((height + 2 * pad, width + 2 * pad, channels), "uint8")
    canvas[pad : pad + height, pad : pad + width] = image
    top, left = offset
    crop = canvas[top : top + height, left : left + width]
    crop = crop[:, ::-1] if mirror else crop
    result = np.zeros_like(crop)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    for row in range(height):
        for column in range(width):
            y, x = row - (height - 1) / 2, column - (width - 1) / 2
            from_row = round(cos * y + sin * x + (height - 1) / 2)
            from_column = round(cos * x - sin * y + (width - 1) / 2)
            if 0 <= from_row < height and 0 <= from_column < width:
                result[row, column] = crop[from_row, from_column]
    return result


@pytest.mark.parametrize("pad", [0, 1, 4])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("rotation", [0.0, 15.0, 180.0])
def test_against_a_loop(pad, flip, rotation):
    augment = Augment(pad=pad, flip=flip, rotation=rotation)
    random = np.random.default_rng(1)
    ours = augment.apply(BATCH, augment.draw(random, *BATCH.shape))
    assert ours.dtype == "uint8"
    golden = [
        slowly(image, *each, pad)
        for image, *each in zip(
            BATCH, *numbers(augment, len(BATCH)), strict=True
        )
    ]
    np.testing.assert_array_equal(ours, golden)


@pytest.mark.parametrize("images", [1, 6, 7, 20])
def test_a_few_images_at_a_time(images, monkeypatch):
    """However many there are at a time, also fewer pixels than an image."""
    augment = Augment(pad=2, flip=True, rotation=30.0)
    drawn = augment.draw(np.random.default_rng(1), images, 6, 5, 3)
    whole = pick(BATCH[:images], source_pixels(drawn, 6, 5, np))
    for pixels in (1, 30, 3 * 30, 1000 * 30):
        monkeypatch.setattr(moves, "AT_A_TIME", pixels)
        np.testing.assert_array_equal(move(BATCH[:images], drawn), whole)


def test_half_of_the_images_are_mirrored():
    source = draws(Augment(flip=True), np.zeros((10_000, 1, 2, 1)))
    assert (source[:, 0] == 1).mean() == pytest.approx(0.5, abs=0.02)


def test_every_offset_is_equally_likely():
    # Where the middle pixel of 3x3 comes from tells the offset.
    source = draws(Augment(pad=1), np.zeros((9000, 3, 3, 1)))
    cells = np.bincount(source[:, 4], minlength=9)
    np.testing.assert_allclose(cells, 1000, rtol=0.1)


def test_padding_is_zero():
    images = np.full((400, 2, 3, 1), 9, "uint8")
    crops = pick(images, draws(Augment(pad=2), images))
    offsets, _, _ = numbers(Augment(pad=2), 400)
    corner = crops[(offsets == [0, 3]).all(1).argmax(), ..., 0]
    assert corner.tolist() == [[0, 0, 0], [0, 0, 0]]
    corner = crops[(offsets == [1, 4]).all(1).argmax(), ..., 0]
    assert corner.tolist() == [[0, 0, 0], [9, 0, 0]]


def test_known_turns():
    image = np.arange(1, 26, dtype="uint8").reshape(1, 5, 5, 1)

    def turned(angle):
        radians = np.deg2rad([[angle, angle]])
        parts = UNIT * np.where([True, False], np.cos(radians), np.sin(radians))
        rows, columns = turn(np.rint(parts).astype("int32"), 5, 5, np)
        inside = (abs(rows - 2) <= 2) & (abs(columns - 2) <= 2)
        source = np.where(inside, rows * 5 + columns, 25)
        return pick(image, source.reshape(1, -1))[0, ..., 0]

    for quarters in range(-2, 3):
        golden = np.rot90(image[0, ..., 0], quarters)
        np.testing.assert_array_equal(turned(90.0 * quarters), golden)
    # At 45 degrees a corner shows what is 2.83 pixels up or aside: nothing.
    diagonal = turned(45.0)
    assert {diagonal[row, column] for row in (0, 4) for column in (0, 4)} == {0}
    assert diagonal[2, 2] == 13


def test_angles_fill_the_range():
    _, _, angles = numbers(Augment(rotation=15.0), 2000)
    assert -15 <= angles.min() < -14.9
    assert 14.9 < angles.max() <= 15


def test_arguments():
    assert not Augment().moves_pixels
    assert Augment(pad=1).moves_pixels and Augment(flip=True).moves_pixels
    assert Augment(rotation=1.0).moves_pixels
    with pytest.raises(ValueError, match="`pad` must be >= 0, got -1"):
        Augment(pad=-1)
    for rotation in (-1.0, 181.0):
        with pytest.raises(ValueError, match="`rotation` must be in"):
            Augment(rotation=rotation)
