"""Published lists: read, checked against what is known of them."""

import dataclasses
import hashlib
import io
import itertools
import sys
import types

import numpy as np
import pytest
from PIL import Image

from keras_lt import stats
from keras_lt.data import DATASETS, DataError, load
from keras_lt.data.sources import listing
from keras_lt.data.sources import published as lists

COUNTS = (120, 50, 20, 3, 2)
FIRST = "images/a/0.jpg 0"


SMALL = lists.Published(
    lists={"train": "list_train.txt", "test": "list_test.txt"},
    images={"train": sum(COUNTS), "test": 5},
    groups=(1, 2, 2),
    counts=(120, 2),
    order=hashlib.sha256(b"a\nb\nc\nd\ne").hexdigest(),
)


def put_in_place(known, monkeypatch):
    """Let it stand for Places-LT."""
    source = dataclasses.replace(
        DATASETS["places_lt"], read=lambda options: known.read(options.data_dir)
    )
    monkeypatch.setitem(DATASETS, "places_lt", source)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A small one in the place of Places-LT, and its lists and images."""
    put_in_place(SMALL, monkeypatch)
    numbers = itertools.count()
    for split, counts in (("train", COUNTS), ("test", (1,) * 5)):
        lines = []
        for label, count in enumerate(counts):
            folder = tmp_path / "images" / "abcde"[label]
            folder.mkdir(parents=True, exist_ok=True)
            for _ in range(count):
                name = f"{next(numbers)}.jpg"
                (folder / name).touch()
                lines.append(f"images/{folder.name}/{name} {label}\n")
        (tmp_path / f"list_{split}.txt").write_text("".join(lines))
    return tmp_path


def read(folder, **options):
    return load("places_lt", data_dir=str(folder), image_size=8, **options)


def test_lists_are_read(published):
    dataset = read(published)
    assert dataset.class_counts == COUNTS
    assert dataset.class_names == ("a", "b", "c", "d", "e")
    assert dataset.validation is None
    np.testing.assert_array_equal(dataset.test[1], np.arange(5))
    assert dataset.train[0].path(0) == published / "images/a/0.jpg"
    assert dataset.input_shape == (8, 8, 3)
    again = read(published, validation_per_class=1)
    assert again.class_counts == (119, 49, 19, 2, 1)
    assert again.split_sha256 != dataset.split_sha256


def change(old, new):
    def act(folder):
        path = folder / "list_train.txt"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return act


def remove(name):
    return lambda folder: (folder / name).unlink()


def swap(folder):
    """Let the folders a and b trade places, on disk and in the lists."""
    images = folder / "images"
    for old, new in (("a", "x"), ("b", "a"), ("x", "b")):
        (images / old).rename(images / new)
        for path in folder.glob("list_*.txt"):
            text = path.read_text()
            path.write_text(text.replace(f"images/{old}/", f"images/{new}/"))


def move(folder):
    """Put an image into the folder of another class."""
    (folder / "images/a/1.jpg").rename(folder / "images/b/1.jpg")
    change("images/a/1.jpg", "images/b/1.jpg")(folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            remove("list_train.txt"),
            "list_train.txt is missing; it is published",
        ),
        (remove("images/a/7.jpg"), "1 of 200 listed .*first is .*a/7.jpg"),
        (change(f"{FIRST}\n", ""), "must list 195 images, found 194"),
        (change(FIRST, "images/a/0.jpg"), "line 1 of .* must be a path and a"),
        (change(FIRST, "images/a/0.jpg 5"), "line 1 .* below 5, got 5"),
        (change(FIRST, "images/a/0.jpg -1"), "line 1 .* a path and a label"),
        (change(FIRST, "images/a/0.jpg 1"), "of 120 to 2, found .* 119 to 2"),
        (change("a/0.jpg", "a/1.jpg"), "1 images are listed .*a/1.jpg"),
        (swap, "not in the published order: b, a, c ..."),
        (move, "b/.*.jpg in the lists of .* must lie in a, the folder of its"),
    ],
)
def test_what_is_not_as_published_is_refused(spoil, message, published):
    spoil(published)
    with pytest.raises(DataError, match=message) as caught:
        read(published)
    assert "\n" not in str(caught.value)


def test_lists_that_are_no_text(published):
    (published / "list_test.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="list_test.txt cannot be read"):
        read(published)
    with pytest.raises(DataError, match="must be a folder, got None"):
        load("places_lt")


@pytest.mark.parametrize(
    ("known", "images", "classes"),
    [
        (lists.IMAGENET_LT, (115_846, 20_000, 50_000), 1000),
        (lists.PLACES_LT, (62_500, 7_300, 36_500), 365),
        (lists.INATURALIST_2018, (437_513, 24_426), 8142),
    ],
)
def test_what_is_known_of_them(known, images, classes):
    assert tuple(known.images.values()) == images
    assert sum(known.groups) == classes
    assert known.images.keys() == known.lists.keys()


def test_stand_ins_are_of_the_same_class():
    labels = np.array([2, 0, 2, 1, 0, 2])
    instead = listing._next_of_class(labels)
    np.testing.assert_array_equal(instead, [2, 4, 5, 3, 1, 0])


def test_images_are_read_when_they_are_asked_for(published):
    Image.new("RGB", (9, 9), (7, 7, 7)).save(published / "images/a/0.jpg")
    images, _ = read(published).train  # the others are empty files
    assert abs(int(images[:1].mean()) - 7) < 2
    with pytest.raises(DataError, match="1.jpg cannot be read"):
        images[:2]
    assert stats.count_classes(read(published).test[1], 5) == (1,) * 5


class Builder:
    """Stands in for one of TensorFlow Datasets."""

    reads = 0

    def __init__(self, folder):
        self.data_path = folder

    def download_and_prepare(self):
        (self.data_path / "prepared").touch()

    def as_data_source(self, split, decoders):
        assert decoders == {"image": "skipped"}
        counts = {"train": COUNTS, "validation": (1,) * 5}[split]
        return Records(self, np.repeat(np.arange(5), counts))


class Records:
    def __init__(self, builder, labels):
        self.builder = builder
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        assert type(i) is int
        self.builder.reads += 1
        content = io.BytesIO()
        Image.new("L", (9, 9), i).save(content, "png")
        return {"image": content.getvalue(), "label": int(self.labels[i])}


@pytest.fixture
def builder(published, tmp_path, monkeypatch):
    builder = Builder(tmp_path)
    tfds = types.ModuleType("tensorflow_datasets")
    tfds.builder = lambda name, file_format: builder
    tfds.decode = types.SimpleNamespace(SkipDecoding=lambda: "skipped")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", tfds)
    known = dataclasses.replace(SMALL, records="places")
    put_in_place(known, monkeypatch)
    return builder


def test_records_of_tensorflow_datasets(builder):
    dataset = load("places_lt", image_size=8)
    assert (builder.data_path / "prepared").exists()
    assert dataset.class_counts == COUNTS
    np.testing.assert_array_equal(dataset.test[1], np.arange(5))
    images, labels = dataset.train
    assert [*images[[5, 190, 7]].mean((1, 2, 3))] == [5, 190, 7]
    assert str(images.path(190)).endswith("train/190")
    builder.reads = 0
    again = load("places_lt", image_size=8, validation_per_class=1)
    assert builder.reads == 0  # labels were kept
    assert again.class_counts == (119, 49, 19, 2, 1)
    images, labels = again.validation
    assert [
        np.repeat(np.arange(5), COUNTS)[i] for i in images[:][:, 0, 0, 0]
    ] == [*labels]


def test_records_that_are_not_as_published(builder, monkeypatch):
    monkeypatch.setattr(
        builder, "as_data_source", lambda **options: Records(builder, [0, 1])
    )
    with pytest.raises(DataError, match="train, must list 195 .*, found 2"):
        load("places_lt")
    monkeypatch.setattr(builder, "download_and_prepare", lambda: 1 / 0)
    with pytest.raises(DataError, match="could not get it .*--data_dir"):
        load("places_lt")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(DataError, match="needs tensorflow-datasets .*list_tr"):
        load("places_lt")
