import colorsys

import numpy as np
import pytest

from keras_lt.data import Augment, distort
from keras_lt.data.transforms.colours import (
    brightness,
    contrast,
    saturation,
    shift_hue,
)
from keras_lt.data.transforms.distortions import (
    _gaussian,
    _jitter,
    draw_distortions,
    resample,
)
from keras_lt.data.transforms.windows import draw_windows, place_windows

RANDOM = np.random.default_rng(0)
COLOR = RANDOM.integers(0, 256, (6, 5, 4, 3), "uint8")
MOCO = Augment(
    crop_scale=(0.2, 1.0),
    jitter=(0.4, 0.4, 0.4, 0.1),
    jitter_share=0.8,
    grey_share=0.2,
    blur_share=0.5,
)


def random(seed=1):
    return np.random.default_rng(seed)


def luma(pixel):
    return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]


def pixel_by_pixel(function):
    golden = [[[function(p) for p in row] for row in image] for image in COLOR]
    return np.clip(golden, 0, 255)


@pytest.mark.parametrize("change", [-0.4, 0.0, 0.3])
def test_colors_against_loops(change):
    x = COLOR.astype("float32")
    changes = np.full((6, 1, 1, 1), change, "float32")
    blend = 1 + change
    golden = pixel_by_pixel(lambda p: blend * p.astype(float))
    np.testing.assert_allclose(
        brightness(x, changes, ops=np), golden, atol=1e-3
    )
    golden = pixel_by_pixel(lambda p: luma(p) + blend * (p - luma(p)))
    np.testing.assert_allclose(
        saturation(x, changes, ops=np), golden, atol=1e-3
    )
    means = [np.mean([luma(p) for p in image.reshape(-1, 3)]) for image in x]
    means = np.reshape(means, (6, 1, 1, 1))
    golden = np.clip(means + blend * (x - means), 0, 255)
    np.testing.assert_allclose(contrast(x, changes, ops=np), golden, atol=1e-3)


@pytest.mark.parametrize("turn", [-0.5, -0.1, 0.0, 0.25])
def test_hue_against_the_standard_library(turn):
    def turned(pixel):
        hue, *rest = colorsys.rgb_to_hsv(*pixel / 255)
        return 255 * np.array(colorsys.hsv_to_rgb((hue + turn) % 1, *rest))

    turns = np.full((6, 1, 1, 1), turn, "float32")
    x = COLOR.astype("float32")
    x[0, 0, 0] = 77  # grey has no hue
    ours = shift_hue(x, turns, ops=np)
    assert ours[0, 0, 0].tolist() == [77, 77, 77]
    golden = pixel_by_pixel(turned)
    golden[0, 0, 0] = 77
    np.testing.assert_allclose(ours, golden, atol=1e-3)


def slow_crop(image, top, rows, left, columns):
    """Bilinear, half-pixel centres, edges of the window extended."""
    height, width, _ = image.shape
    result = np.zeros(image.shape)
    for r in range(height):
        for c in range(width):
            y = np.clip((r + 0.5) * rows / height - 0.5, 0, rows - 1)
            x = np.clip((c + 0.5) * columns / width - 0.5, 0, columns - 1)
            for row in {int(np.floor(y)), int(np.ceil(y))}:
                for column in {int(np.floor(x)), int(np.ceil(x))}:
                    share = (1 - abs(y - row)) * (1 - abs(x - column))
                    result[r, c] += share * image[top + row, left + column]
    return result


def test_crops_against_a_loop():
    augment = Augment(crop_scale=(0.2, 0.9))
    ours = distort(COLOR, random(), augment)
    drawn = draw_windows(random(), 6, (0.2, 0.9))
    found = place_windows(drawn, 5, 4).astype(int)
    assert len(np.unique(found, axis=0)) > 3
    for image, window, crop in zip(COLOR, found, ours, strict=True):
        np.testing.assert_allclose(slow_crop(image, *window), crop, atol=0.51)


def test_windows_fit_and_fill_their_range():
    found = place_windows(draw_windows(random(), 4000, (0.2, 1.0)), 32, 48)
    top, rows, left, columns = found.T
    assert (np.minimum(top, left) >= 0).all()
    assert (top + rows <= 32).all() and (left + columns <= 48).all()
    area = rows * columns / (32 * 48)
    assert 0.18 < area.min() < 0.22 and area.max() > 0.85
    aspect = columns / rows
    assert 0.7 < aspect.min() < 0.8 and 1.25 < aspect.max() < 1.45
    assert top.max() > 14 and left.max() > 25
    small = place_windows(draw_windows(random(), 4000, (0.25, 0.25)), 32, 32)
    area = small[:, 1] * small[:, 3] / 1024
    assert area.mean() == pytest.approx(0.25, rel=0.01)


def test_a_window_that_never_fits_is_central():
    found = place_windows(draw_windows(random(), 5, (1.0, 1.0)), 10, 100)
    assert (found == [0, 10, 43, 13]).all()  # aspect 4/3 at most


def test_blur_spreads_a_point_and_keeps_flat_images():
    sigma = np.array([0.1, 1.0, 2.0], "float32")
    matrix = _gaussian(sigma, 9, np)
    point = np.zeros((3, 9, 9, 1), "float32")
    point[:, 4, 4] = 1
    ours = resample(point, matrix, matrix, np)[..., 0]
    np.testing.assert_allclose(ours[0], point[0, ..., 0], atol=1e-6)
    row = np.exp(-0.5 * (np.arange(9) - 4.0) ** 2)
    # A narrow one loses nothing over the edges.
    row = row / row.sum()
    np.testing.assert_allclose(ours[1, 4, 3:6], (row * row[4])[3:6], rtol=1e-3)
    flat = np.full((3, 9, 9, 1), 7.0, "float32")
    np.testing.assert_allclose(resample(flat, matrix, matrix, np), 7, rtol=1e-5)
    variances = [np.var(image) for image in ours]
    assert variances[0] > variances[1] > variances[2]


def test_every_image_has_its_own_draws():
    same = np.repeat(COLOR[:1], 200, axis=0)
    ours = distort(same, random(), MOCO)
    assert ours.dtype == "uint8"
    assert len(np.unique(ours, axis=0)) > 190
    np.testing.assert_array_equal(ours, distort(same, random(), MOCO))
    assert (ours != distort(same, random(2), MOCO)).any()
    assert (same == COLOR[0]).all()  # the input is left alone


@pytest.mark.parametrize(
    ("options", "share"),
    [
        ({"grey_share": 0.2}, 0.2),
        ({"blur_share": 0.5, "blur_sigma": (1.0, 2.0)}, 0.5),
        ({"jitter": (0.4, 0.4, 0.4, 0.1), "jitter_share": 0.8}, 0.8),
    ],
)
def test_shares(options, share):
    same = np.repeat(COLOR[:1], 2000, axis=0)
    ours = distort(same, random(), Augment(**options))
    changed = (ours != same).any((1, 2, 3)).mean()
    assert changed == pytest.approx(share, abs=0.04)


def test_grey_images_have_equal_channels():
    ours = distort(COLOR, random(), Augment(grey_share=1.0))
    golden = pixel_by_pixel(lambda p: [luma(p)] * 3)
    np.testing.assert_allclose(ours, golden, atol=0.51)


def test_orders_of_the_jitter_differ():
    # Clipping tells brightness before contrast from the other order.
    same = np.repeat(COLOR[:1], 64, axis=0).astype("float32")
    strengths = (1.0, 1.0, 0.0, 0.0)
    drawn = draw_distortions(random(), Augment(jitter=strengths), *same.shape)
    ours = _jitter(same.copy(), drawn, strengths, np)
    generator = random()
    generator.random(64)  # which images are changed: all
    factors = generator.uniform(-1, 1, (4, 64)).astype("float32")
    kinds = set()
    for number in range(64):
        image, results = same[number : number + 1], {}
        bright, sharp = factors[:2, number, None, None, None, None]
        results["first"] = contrast(
            brightness(image, bright, ops=np), sharp, ops=np
        )
        results["last"] = brightness(
            contrast(image, sharp, ops=np), bright, ops=np
        )
        fits = [
            kind
            for kind, result in results.items()
            if np.allclose(result[0], ours[number], atol=1e-2)
        ]
        assert fits
        kinds |= set(fits) if len(fits) == 1 else set()
    assert kinds == {"first", "last"}


def test_single_channels():
    digits = COLOR[..., :1]
    ours = distort(digits, random(), MOCO)
    assert ours.shape == digits.shape
    assert (ours != digits).any()
    plain = distort(digits, random(), Augment(grey_share=1.0))
    np.testing.assert_array_equal(plain, digits)


def test_arguments():
    assert MOCO.distorts and not Augment(pad=1, flip=True).distorts
    for options, message in (
        ({"crop_scale": (0.0, 1.0)}, "`crop_scale` must be two shares"),
        ({"crop_scale": (0.9, 0.2)}, "`crop_scale` must be two shares"),
        ({"jitter": (0.1, 0.1, 0.1, 0.6)}, "`jitter` must be four strengths"),
        ({"grey_share": 1.5}, r"`grey_share` must be in \[0, 1\], got 1.5"),
        ({"blur_sigma": (0.0, 1.0)}, "`blur_sigma` must be 0 < low"),
    ):
        with pytest.raises(ValueError, match=message):
            Augment(**options)
