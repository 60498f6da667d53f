import itertools

import keras
import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from keras_lt import image_reader as module
from keras_lt.data import (
    Augment,
    Batching,
    Cutout,
    ImageFiles,
    Loader,
    RandAugment,
)
from keras_lt.data.sources.listing import _next_of_class
from keras_lt.data.transforms.windows import draw_windows, place_windows
from keras_lt.image_reader import DataError

RANDOM = np.random.default_rng(0)
LABELS = np.array([0, 1, 0, 2, 1, 0, 0, 1])


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path.name


@pytest.fixture
def files(tmp_path):
    names = [
        save(tmp_path / f"{i}.png", RANDOM.integers(0, 256, shape, "uint8"))
        for i, shape in enumerate(itertools.repeat((12, 20, 3), 8))
    ]
    return ImageFiles(tmp_path, names, size=8, whole=10)


def read_one(path, size=8, **options):
    return ImageFiles(path.parent, [path.name], size=size, **options)[:1][0]


def test_the_centre_is_cut_out(tmp_path):
    pixels = RANDOM.integers(0, 256, (8, 14, 3), "uint8")
    save(tmp_path / "a.png", pixels)
    ours = read_one(tmp_path / "a.png", whole=8)
    np.testing.assert_array_equal(ours, pixels[:, 3:11])
    save(tmp_path / "b.png", np.pad(pixels, ((2, 2), (1, 1), (0, 0))))
    ours = read_one(tmp_path / "b.png", whole=12)  # 8 of 12 rows
    np.testing.assert_array_equal(ours, pixels[:, 3:11])


def test_they_look_like_an_array(files):
    assert (files.shape, files.dtype, len(files)) == ((8, 8, 8, 3), "uint8", 8)
    np.testing.assert_array_equal(files[2:5], files[np.array([2, 3, 4])])
    assert files[8:].shape == (0, 8, 8, 3)
    assert files[:].shape == files.shape
    assert ImageFiles("there", ["a"]).whole == 256


def test_random_windows_are_those_of_arrays(tmp_path):
    pixels = RANDOM.integers(0, 256, (20, 30, 3), "uint8")
    save(tmp_path / "a.png", pixels)
    files = ImageFiles(tmp_path, ["a.png"], size=6)
    draws = draw_windows(np.random.default_rng(1), 20, (0.02, 0.3))
    ours = files.read(np.zeros(20, int), draws)
    assert len(np.unique(ours, axis=0)) == 20
    for image, window in zip(ours, place_windows(draws, 20, 30), strict=True):
        top, rows, left, columns = window.astype(int)
        part = pixels[top : top + rows, left : left + columns]
        if rows == columns == 6:
            np.testing.assert_array_equal(image, part)
        # Resizing keeps the mean, up to rounding and weights at the edges.
        assert abs(image.mean() - part.mean()) < 25


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr"])
def test_modes_become_rgb(mode, tmp_path):
    image = Image.new("RGB", (9, 9), (255, 255, 255)).convert(mode)
    ending = "jpg" if mode in ("CMYK", "YCbCr") else "png"
    image.save(tmp_path / f"a.{ending}")
    ours = read_one(tmp_path / f"a.{ending}")
    assert ours.shape == (8, 8, 3)
    assert ours.min() >= 250


def test_sixteen_bits(tmp_path):
    save(tmp_path / "a.png", np.full((9, 9), 257 * 130, "uint16"))
    assert (read_one(tmp_path / "a.png") == 130).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation, tmp_path):
    upright = np.zeros((16, 32, 3), "uint8")
    upright[:, :16, 0] = 250  # red, left
    upright[8:, :, 1] = 250  # green, below
    image = Image.fromarray(upright)
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    if orientation > 1:
        image = image.transpose(back[orientation])
    exif = Image.Exif()
    exif[module.ORIENTATION] = orientation
    image.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    files = ImageFiles(tmp_path, ["a.jpg"], size=16, whole=16)
    ours = files[:1][0]  # the middle 16 of 32 columns
    assert ours[4, 4, 0] > 200 > 50 > ours[4, 12, 0]
    assert ours[12, 4, 1] > 200 > 50 > ours[4, 4, 1]
    draws = np.ones((1, 22))  # nothing fits: the central 16 x 21
    draws[:, :10] = 4.0
    (ours,) = files.read(np.zeros(1, int), draws)
    assert ours[12, 2, 0] > 200 > 50 > ours[12, 13, 0]


def test_large_jpegs_are_decoded_small(tmp_path, monkeypatch):
    waves = np.sin(np.arange(600)[:, None, None] / 40 + np.arange(3))
    pixels = np.broadcast_to(127 + 100 * waves, (600, 500, 3)).astype("uint8")
    save(tmp_path / "a.jpg", pixels, quality=95)
    sizes = []
    rgb = module._rgb
    monkeypatch.setattr(
        module, "_rgb", lambda image: sizes.append(image.size) or rgb(image)
    )
    small = read_one(tmp_path / "a.jpg", 32).astype(int)
    assert sizes == [(63, 75)]  # an eighth: 42 would serve
    jpeg = JpegImagePlugin.JpegImageFile
    monkeypatch.setattr(jpeg, "draft", lambda *arguments: None)
    whole = read_one(tmp_path / "a.jpg", 32)
    assert sizes[1] == (500, 600)
    assert np.abs(small - whole).max() < 12


def test_a_single_pixel(tmp_path):
    save(tmp_path / "a.png", np.full((1, 1, 3), 77, "uint8"))
    assert (read_one(tmp_path / "a.png") == 77).all()


def broken(folder):
    """Files that are no images, by name."""
    save(folder / "whole.jpg", RANDOM.integers(0, 256, (64, 64, 3), "uint8"))
    content = (folder / "whole.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(content[: len(content) // 2])
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("no image")
    (folder / "folder.jpg").mkdir()
    return ["truncated.jpg", "empty.jpg", "text.jpg", "folder.jpg", "gone.jpg"]


@pytest.mark.parametrize("number", range(5))
def test_unreadable_images_are_named(number, tmp_path):
    name = broken(tmp_path)[number]
    with pytest.raises(DataError, match=rf"/{name} cannot be read: .+"):
        read_one(tmp_path / name)


def test_images_beyond_any_size_are_refused(tmp_path, monkeypatch):
    save(tmp_path / "a.png", np.zeros((30, 30, 3), "uint8"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
    with pytest.raises(DataError, match="a.png cannot be read: Image size"):
        read_one(tmp_path / "a.png")


def test_another_image_of_the_class_stands_in(tmp_path):
    bad = broken(tmp_path)
    good = [
        save(tmp_path / f"{i}.png", np.full((8, 8, 3), i, "uint8"))
        for i in range(3)
    ]
    names = [good[0], bad[0], bad[1], good[1], good[2], bad[2]]
    labels = np.array([0, 0, 0, 1, 1, 2])
    files = ImageFiles(
        tmp_path, names, size=8, whole=8, instead=_next_of_class(labels)
    )
    assert [*files[:5].mean((1, 2, 3))] == [0, 0, 0, 1, 2]
    assert {path.split("/")[-1] for path in files.unreadable} == {*bad[:2]}
    with pytest.raises(DataError, match="of one class no image can be read"):
        files[5:]
    found = files.check(np.arange(6))
    assert [path.split("/")[-1] for path in found] == bad[:3]


def batching(**options):
    return Batching(batch_size=4, **options)


def take(loader, number=4, **options):
    batches = loader.train(batching(**options), seed=3)
    if isinstance(batches, keras.utils.PyDataset):
        first = [batches[i] for i in range(number)]
    else:
        first = itertools.islice(batches, number)
    return [keras.tree.map_structure(np.asarray, batch) for batch in first]


KINDS = ["numpy", "grain", "tf.data"]


@pytest.mark.parametrize("two_views", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_batches_are_those_of_the_array(kind, two_views, files):
    pytest.importorskip("tensorflow" if kind == "tf.data" else kind)
    policies = (RandAugment(2, 9), Cutout(4))
    augment = Augment(pad=1, jitter=(0.4, 0.4, 0.4, 0.0), policies=policies)
    ours, theirs = (
        take(
            Loader((x, LABELS), augment=augment, kind=kind), two_views=two_views
        )
        for x in (files, files[:])
    )
    for a, b in zip(
        keras.tree.flatten(ours), keras.tree.flatten(theirs), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_kinds_draw_the_same_windows(files):
    for package in ("tensorflow", "grain"):
        pytest.importorskip(package)
    augment = Augment(crop_scale=(0.1, 1.0), flip=True)
    ours, *others = (
        take(Loader((files, LABELS), augment=augment, kind=kind))
        for kind in KINDS
    )
    for other in others:
        for (x, y), (x2, y2) in zip(ours, other, strict=True):
            np.testing.assert_array_equal(x, x2)
            np.testing.assert_array_equal(y, y2)
    assert len(np.unique(np.concatenate([x for x, _ in ours]), axis=0)) == 16


def test_they_train_and_validate(files):
    data = (files, LABELS)
    loader = Loader(data, validation=data, augment=Augment(flip=True))
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1e-6), loss)
    history = model.fit(
        loader.train(batching(), seed=0),
        steps_per_epoch=2,
        validation_data=loader.validate(batching()),
        verbose=0,
        shuffle=False,
    ).history
    found = model.evaluate(files[:], LABELS, verbose=0)
    assert history["val_loss"][0] == pytest.approx(found, rel=1e-5)


def test_they_cannot_lie_on_the_device(files):
    with pytest.raises(ValueError, match="or 'tf.data' for images on disk"):
        Loader((files, LABELS), kind="device")
