import dataclasses
import functools
import sys
import types

import numpy as np
import pytest

from keras_lt.data import DATASETS, DataError, Loader, index_hash, load
from keras_lt.data.sources import cifar
from keras_lt.data.sources.catalogue import read_cifar

COUNTS = {"cifar10": (50, 5), "cifar100": (6, 1)}  # train and test, a class


def test_digits():
    dataset = load("digits_lt")
    assert dataset.class_counts == (104, 67, 43, 28, 18, 11, 7, 4, 3, 2)
    assert dataset.input_shape == (8, 8, 1)
    assert dataset.validation is None
    assert len(dataset.test[0]) == 700
    assert dataset.split_sha256 == index_hash(dataset.indices)
    assert Loader(dataset.train).labels.sum() == dataset.train[1].sum()


def test_options():
    dataset = load(
        "digits_lt",
        imbalance_ratio=10,
        profile="step",
        subset="first",
        validation_per_class=5,
    )
    assert dataset.class_counts[0] <= 104
    assert dataset.class_counts[5:] == (10,) * 5
    assert np.bincount(dataset.validation[1]).tolist() == [5] * 10


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("name", "cifar100", "did you mean 'cifar100_lt'"),
        ("profile", "stop", "did you mean 'step'"),
        ("subset", "second", "`subset` must be one of"),
        ("imbalance_ratio", 0.5, "`imbalance_ratio` must be >= 1"),
        ("imbalance_ratio", 0, "`imbalance_ratio` must be >= 1"),
        ("imbalance_ratio", 1000, "choose another `imbalance_ratio`"),
        ("validation_per_class", 104, "`validation_per_class` must be below"),
        ("test_per_class", 0, "`test_per_class` must be from 1 to 172, got 0"),
        ("validation_per_class", -1, "`validation_per_class` must be >= 0"),
    ],
)
def test_bad_arguments(argument, value, message):
    with pytest.raises(ValueError, match=message):
        load(**{"name": "digits_lt", argument: value})


def test_other_digits_to_test_on():
    dataset = load("digits_lt", test_per_class=50)  # as in version 0.1.0
    assert dataset.class_counts == (124, 80, 51, 33, 21, 14, 9, 5, 3, 2)
    with pytest.raises(ValueError, match="`test_per_class`: cifar10_lt has"):
        load("cifar10_lt", test_per_class=5, data_dir="absent")


@pytest.mark.parametrize("ratio", [0, 0.5])
def test_the_ratio_is_checked_before_reading(ratio):
    with pytest.raises(ValueError, match="`imbalance_ratio`"):
        load("cifar10_lt", imbalance_ratio=ratio, data_dir="absent")


class FakeDatasets(types.ModuleType):
    """Stands in for `tensorflow_datasets`: images in a shuffled order."""

    def __init__(self, splits, classes, prepared=True):
        super().__init__("tensorflow_datasets")
        self.splits, self.classes, self.prepared = splits, classes, prepared

    def builder(self, name):
        path = types.SimpleNamespace(exists=lambda: self.prepared)
        return types.SimpleNamespace(data_path=path)

    def load(self, name, batch_size, with_info):
        assert (batch_size, with_info) == (-1, True)
        loaded = {}
        for split, (images, labels) in self.splits.items():
            order = np.random.default_rng(3).permutation(len(labels))
            ids = np.array([f"{split}_{i:05d}".encode() for i in order], "O")
            loaded[split] = {
                "id": ids,
                "image": images[order],
                "label": labels[order],
            }
        label = types.SimpleNamespace(names=self.classes)
        return loaded, types.SimpleNamespace(features={"label": label})

    def as_numpy(self, loaded):
        return loaded


@pytest.mark.parametrize("name", COUNTS)
def test_tfds_gives_the_same_subset_as_the_files(name, tmp_path, monkeypatch):
    archive = cifar.ARCHIVES[name]
    train, test = COUNTS[name]
    classes = 10 if name == "cifar10" else 100
    sizes = {"train": train * classes, "test": test * classes}
    archive = dataclasses.replace(
        archive,
        train={"train.bin": sizes["train"]},
        test={"test.bin": sizes["test"]},
    )
    monkeypatch.setitem(cifar.ARCHIVES, name, archive)
    random = np.random.default_rng(0)
    splits = {}
    for split, size in sizes.items():
        images = random.integers(0, 256, (size, 32, 32, 3), "uint8")
        labels = random.permutation(np.arange(size) % classes).astype("uint8")
        splits[split] = images, labels.astype("int64")
        planes = images.transpose(0, 3, 1, 2).reshape(size, -1)
        columns = [labels[:, None]] * archive.label_bytes
        rows = np.concatenate([*columns, planes], 1)
        (tmp_path / f"{split}.bin").write_bytes(rows.tobytes())
    names = [f"class{i}" for i in range(classes)]
    (tmp_path / archive.names).write_text("\n".join(names))
    fake = FakeDatasets(splits, names)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", fake)
    source = DATASETS[f"{name}_lt"]
    read = functools.partial(read_cifar, name, train)
    source = dataclasses.replace(source, read=read)
    monkeypatch.setitem(DATASETS, f"{name}_lt", source)

    options = {"imbalance_ratio": 5, "validation_per_class": 1}
    files = load(f"{name}_lt", data_dir=str(tmp_path), **options)
    tfds = load(f"{name}_lt", **options)
    assert tfds.split_sha256 == files.split_sha256
    assert tfds.class_names == files.class_names == tuple(names)
    for split in ("train", "validation", "test"):
        ours, theirs = getattr(tfds, split), getattr(files, split)
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
        assert ours[1].dtype == theirs[1].dtype == "int64"


def fails(match):
    return pytest.raises(DataError, match=rf"^cifar100.*{match}.*--data_dir.*$")


def test_without_tensorflow_datasets(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with fails("the extra `datasets`") as caught:
        load("cifar100_lt")
    assert "\n" not in str(caught.value)


def test_tfds_fails(monkeypatch):
    def load_(*args, **options):
        raise OSError("no space left\non the device")

    fake = FakeDatasets({}, [])
    fake.load = load_
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", fake)
    with fails("no space left") as caught:
        load("cifar100_lt")
    assert "\n" not in str(caught.value)


def test_without_a_network_nothing_is_tried(monkeypatch):
    requests = pytest.importorskip("requests")

    def head(url, timeout):
        assert url.endswith("/cifar-100-binary.tar.gz")
        raise requests.ConnectionError("no route\nto the host")

    fake = FakeDatasets({}, [], prepared=False)
    fake.load = None
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", fake)
    monkeypatch.setattr(requests, "head", head)
    with fails("cannot be reached") as caught:
        load("cifar100_lt")
    assert "\n" not in str(caught.value)
