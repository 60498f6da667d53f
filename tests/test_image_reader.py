"""One reader: what it gives alone is what training gets from a folder."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_lt import image_reader
from keras_lt.data import DataError, ImageFiles, read_image, whole_of

RANDOM = np.random.default_rng(0)
WIDE = np.stack(  # smooth, so that JPEG keeps it
    np.broadcast_arrays(
        np.linspace(0, 250, 120)[None],
        np.linspace(250, 0, 40)[:, None],
        np.full((40, 120), 90.0),
    ),
    axis=-1,
).astype("uint8")


def photo(path, pixels=WIDE, mode=None, orientation=1):
    exif = Image.Exif()
    exif[image_reader.ORIENTATION] = orientation
    image = Image.fromarray(pixels)
    if mode:
        image = image.convert(mode)
    image.save(path, exif=exif)
    return path


def rotated(folder):
    return photo(folder / "a.jpg", np.rot90(WIDE), orientation=6)


def translucent(folder):
    alpha = RANDOM.integers(0, 256, (40, 120, 1), "uint8")
    return photo(folder / "a.png", np.concatenate([WIDE, alpha], axis=-1))


def deep(folder):
    return photo(folder / "a.png", 257 * WIDE[..., 0].astype("uint16"))


FILES = {
    "rotated": rotated,
    "cmyk": lambda folder: photo(folder / "a.jpg", mode="CMYK"),
    "grey_jpeg": lambda folder: photo(folder / "a.jpg", mode="L"),
    "palette": lambda folder: photo(folder / "a.png", mode="P"),
    "grey_alpha": lambda folder: photo(folder / "a.png", mode="LA"),
    "translucent": translucent,
    "deep": deep,
}


@pytest.mark.parametrize("name", FILES)
def test_it_gives_what_training_gets(name, tmp_path):
    path = FILES[name](tmp_path)
    for size, whole in ((32, None), (8, 8), (32, 40)):
        files = ImageFiles(tmp_path, [path.name], size=size, whole=whole)
        ours = read_image(path, size, whole=whole)
        np.testing.assert_array_equal(ours, files[:1][0])
        assert ours.shape == (size, size, 3) and ours.dtype == "uint8"
        with open(path, "rb") as file:
            again = read_image("a name", size, whole=whole, file=file)
        np.testing.assert_array_equal(ours, again)


@pytest.mark.parametrize("name", ["translucent", "deep", "rotated"])
def test_the_centre_is_neither_squashed_nor_turned(name, tmp_path):
    path = FILES[name](tmp_path)
    golden = WIDE[4:36, 44:76].astype(int)  # 32 of 40 rows, of the middle
    ours = read_image(path, 32, whole=40).astype(int)
    if name == "deep":
        golden = np.repeat(golden[..., :1], 3, axis=-1)
    assert np.abs(ours - golden).max() <= (9 if name == "rotated" else 0)


@pytest.mark.parametrize("name", FILES)
def test_one_channel_is_the_luma(name, tmp_path):
    path = FILES[name](tmp_path)
    ours = read_image(path, 40, whole=40, channels=1)
    colours = read_image(path, 40, whole=40).astype("float64")
    assert ours.shape == (40, 40, 1)
    luma = colours @ [0.299, 0.587, 0.114]
    assert np.abs(ours[..., 0] - luma).max() < 1


def test_small_networks_see_the_whole_shorter_side(tmp_path):
    """Digits, 8x8x1: blocks of 5x5 pixels become one."""
    bright = np.random.default_rng(1).integers(0, 256, (8, 8), "uint8")
    pixels = np.kron(bright, np.ones((5, 5), "uint8"))
    path = photo(tmp_path / "a.png", np.pad(pixels, ((0, 0), (30, 30))))
    ours = read_image(path, 8, whole=8, channels=1)[..., 0]
    # Resizing also weighs what lies beside a block.
    assert np.corrcoef(ours.ravel(), bright.ravel())[0, 1] > 0.9


def test_whole_of():
    assert [whole_of(size) for size in (224, 112, 32, 1)] == [256, 128, 37, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "`size` must be from 1 to `whole`, got 0 and 0"),
        ({"size": 9, "whole": 8}, "from 1 to `whole`, got 9 and 8"),
        ({"size": 8, "channels": 4}, "`channels` must be 1 or 3, got 4"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_image("absent.png", **options)
    assert not isinstance(caught.value, DataError)


@pytest.mark.slow
def test_it_needs_no_keras():
    code = (
        "import sys; from keras_lt.image_reader import read_image\n"
        "for name in ('keras', 'tensorflow', 'jax', 'PIL'):\n"
        "    assert name not in sys.modules, name"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
