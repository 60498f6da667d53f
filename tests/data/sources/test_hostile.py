"""Data from strangers: no program starts, nothing hangs, none gets out."""

import dataclasses
import io
import os
import struct
import tarfile
import zlib

import numpy as np
import programs
import pytest
from PIL import Image

from keras_lt.data import Loader, load
from keras_lt.data.sources import cifar
from keras_lt.data.sources.archives import ARCHIVES
from keras_lt.data.sources.arrays import Arrays
from keras_lt.image_reader import DataError, read_image

pytestmark = programs.once("tensorflow")
PIXELS = np.zeros((4, 4, 3), "uint8")


def png(width, height):
    """A file of a hundred bytes that claims any size."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        size = struct.pack(">I", len(content))
        return size + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10)))
        + chunk(b"IEND", b"")
    )


def encoded(format):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, format)
    return file.getvalue()


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n"
HOSTILE = {
    "postscript": EPS,
    **{kind: encoded(kind) for kind in ("ICO", "PCX", "TGA", "PDF", "SGI")},
    "huge": png(2**31 - 1, 2**31 - 1),
    "large": png(20_000, 20_000),
    "nothing": b"",
    "text": b"an image",
    "half": encoded("PNG")[:-30],
    "pickle": b"cos\nabort\n(tR.",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_image_of_ours_is_refused(kind, tmp_path, monkeypatch):
    def start(*arguments, **options):
        raise AssertionError(f"a program: {arguments}")

    monkeypatch.setattr("subprocess.Popen", start)
    (tmp_path / "a.png").write_bytes(HOSTILE[kind])
    with pytest.raises(DataError, match="a.png cannot be read: "):
        read_image(tmp_path / "a.png", 4)


def test_pixels_that_are_too_many(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((10, 20, 3), "uint8")).save(path)
    assert read_image(path, 4, max_pixels=200).shape == (4, 4, 3)
    with pytest.raises(DataError, match="has 200 pixels, more than 199"):
        read_image(path, 4, max_pixels=199)


def test_pipes_and_devices_are_no_images(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    for path in (tmp_path / "a.png", "/dev/zero"):
        with pytest.raises(DataError, match="no regular file"):
            read_image(path, 4)


def table(folder, name):
    """A csv file whose images are below a folder, but for one."""
    for number in range(4):
        Image.fromarray(PIXELS).save(folder / f"{number}.png")
    names = [*(f"{number}.png" for number in range(4)), name]
    rows = [f"{name},{i % 2}" for i, name in enumerate(names)]
    (folder / "a.csv").write_text("\n".join(["path,label", *rows]))
    return str(folder / "a.csv")


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", None])
def test_a_table_stays_below_its_folder(name, tmp_path):
    name = name or str(tmp_path / "out.png")
    Image.fromarray(PIXELS).save(tmp_path / "out.png")
    (tmp_path / "in").mkdir()
    path = table(tmp_path / "in", name)
    with pytest.raises(DataError, match="not below .*--allow_outside"):
        load("csv", data_dir=path, image_size=4)
    dataset = load("csv", data_dir=path, image_size=4, allow_outside=True)
    assert sum(dataset.class_counts) + len(dataset.test[1]) == 5


def test_a_table_that_is_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(DataError, match="no regular file"):
        load("csv", data_dir=str(tmp_path / "a.csv"))


def test_folders_that_are_in_themselves(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "loop").symlink_to(tmp_path)
    with pytest.raises(DataError, match="a link to a folder that it is in"):
        load("folder", data_dir=str(tmp_path))


class Zeros(io.RawIOBase):
    def read(self, size=-1):
        return bytes(size)


def test_an_archive_that_unpacks_to_far_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "UNPACKED", 2**20)
    archive = ARCHIVES["cifar10"]
    with tarfile.open(tmp_path / archive.file, "w:gz") as tar:
        for name in ("first", f"{archive.folder}/data_batch_1.bin"):
            member = tarfile.TarInfo(name)
            member.size = 2**21
            tar.addfile(member, Zeros())
    with pytest.raises(DataError, match="unpacks to more than 1,048,576"):
        cifar.read("cifar10", str(tmp_path))


def arrays(**changed):
    fields = {
        "train": np.arange(24, 48).astype("uint8").reshape(6, 2, 2, 1),
        "train_labels": np.array([0, 0, 0, 1, 1, 1]),
        "test": np.ones((2, 2, 2, 1), "uint8"),
        "test_labels": np.array([0, 1]),
        "class_names": ("a", "b"),
    }
    return Arrays(**fields | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_labels": np.array([0, 0, 0, 1, 1, 2])}, "found 0 to 2"),
        ({"test_labels": np.array([-1, 1])}, "test images must be below the 2"),
        ({"class_names": ("a",)}, "the 1 classes that have names"),
        ({"test_labels": np.array([0])}, "2 test images have 1 labels"),
    ],
    ids=str,
)
def test_labels_that_name_no_class(changed, message):
    with pytest.raises(DataError, match=message):
        arrays(**changed)


def test_the_hash_of_the_content_sees_pixels_and_labels():
    options = cifar_options()
    whole = arrays().splits(options)
    assert whole.content_sha256 == arrays().splits(options).content_sha256
    pixels = np.arange(1, 25).astype("uint8").reshape(6, 2, 2, 1)
    for changed in (
        {"train": pixels},
        {"train_labels": np.array([0, 1, 0, 1, 0, 1])},
    ):
        other = arrays(**changed).splits(options)
        assert other.content_sha256 != whole.content_sha256


def cifar_options():
    from keras_lt.data.sources.source import Options

    return dataclasses.replace(Options(), subset="first", imbalance_ratio=1.0)


def test_pixels_that_are_no_numbers():
    images = np.zeros((4, 2, 2, 1), "float32")
    Loader((images, np.zeros(4, int)), kind="numpy")
    images[2, 1, 1, 0] = np.nan
    for sides in ({}, {"validation": (images, np.zeros(4, int))}):
        train = np.zeros_like(images) if sides else images
        with pytest.raises(ValueError, match="finite numbers, image 2 is not"):
            Loader((train, np.zeros(4, int)), kind="numpy", **sides)
