import dataclasses
import os
import tarfile

import numpy as np
import pytest

from keras_lt.data import load
from keras_lt.data.sources import cifar
from keras_lt.data.sources.long_tail import DataError

REAL = os.environ.get("KERAS_LT_CIFAR100")
REAL = REAL and os.path.abspath(REAL)


def small(name, monkeypatch):
    """Make the files of the archive hold six and three records."""
    archive = cifar.ARCHIVES[name]
    archive = dataclasses.replace(
        archive,
        train=dict.fromkeys(archive.train, 6),
        test=dict.fromkeys(archive.test, 3),
    )
    monkeypatch.setitem(cifar.ARCHIVES, name, archive)
    monkeypatch.setattr(cifar, "AT_A_TIME", 4)
    return archive


def write(folder, archive):
    """Write random files; return their records by name."""
    random = np.random.default_rng(0)
    size = archive.label_bytes + cifar.IMAGE_BYTES
    records = {}
    for name, count in (archive.train | archive.test).items():
        records[name] = random.integers(0, 10, (count, size), "uint8")
        (folder / name).write_bytes(records[name].tobytes())
    names = [f"class{i}" for i in range(10 if size == 3073 else 100)]
    (folder / archive.names).write_text("\n".join([*names, "", ""]))
    return records


@pytest.fixture
def archive(monkeypatch):
    return small("cifar100", monkeypatch)


def directly(data_dir, archive):
    return write(data_dir, archive)


def in_their_folder(data_dir, archive):
    folder = data_dir / archive.folder
    folder.mkdir()
    return write(folder, archive)


def in_the_archive(data_dir, archive):
    elsewhere = data_dir / "elsewhere"
    elsewhere.mkdir()
    records = write(elsewhere, archive)
    with tarfile.open(data_dir / archive.file, "w:gz") as tar:
        tar.add(elsewhere, archive.folder)
    return records


def packed(data_dir, archive):
    elsewhere = data_dir / "elsewhere"
    elsewhere.mkdir()
    records = write(elsewhere, archive)
    name = "cifar10" if archive.label_bytes == 1 else "cifar100"
    every = np.arange(sum(archive.train.values()))
    cifar.pack(name, str(elsewhere), data_dir, every)
    return records


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
@pytest.mark.parametrize(
    "place", [directly, in_their_folder, in_the_archive, packed]
)
def test_places(name, place, tmp_path, monkeypatch):
    archive = small(name, monkeypatch)
    records = place(tmp_path, archive)
    x, y, x_test, y_test, names = cifar.read(name, str(tmp_path))
    assert names[:2] == ("class0", "class1")
    for files, images, labels in (
        (archive.train, x, y),
        (archive.test, x_test, y_test),
    ):
        rows = np.concatenate([records[file] for file in files])
        assert images.shape == (len(rows), 32, 32, 3)
        assert (images.dtype, labels.dtype) == ("uint8", "int64")
        label = 0 if name == "cifar10" else 1  # byte 0 is the coarse label
        np.testing.assert_array_equal(labels, rows[:, label])
        for channel in range(3):
            start = archive.label_bytes + channel * 1024
            plane = rows[:, start : start + 1024].reshape(-1, 32, 32)
            np.testing.assert_array_equal(images[..., channel], plane)


@pytest.mark.parametrize(
    "name", ["train.bin", "test.bin", "fine_label_names.txt"]
)
def test_missing_file(name, tmp_path, archive):
    directly(tmp_path, archive)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match=rf"{name} is missing; .*tar\.gz"):
        cifar.read("cifar100", str(tmp_path))


def test_missing_file_in_the_archive(tmp_path, archive):
    folder = tmp_path / "empty"
    folder.mkdir()
    with tarfile.open(tmp_path / archive.file, "w:gz") as tar:
        tar.add(folder, archive.folder)
    with pytest.raises(DataError, match=r"tar\.gz holds no whole train.bin"):
        cifar.read("cifar100", str(tmp_path))


def test_truncated_file(tmp_path, archive):
    records = directly(tmp_path, archive)["train.bin"].tobytes()
    (tmp_path / "train.bin").write_bytes(records[:-1])
    sizes = "must have 18,444 bytes, found 18,443"
    for precut in (False, True):
        expected = "15,370" if precut else "18,444"
        with pytest.raises(DataError, match=f"train.bin must have {expected}"):
            cifar.read("cifar100", str(tmp_path), precut=precut)
    with pytest.raises(DataError, match=sizes):
        cifar.read("cifar100", str(tmp_path))


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_truncated_archive(kept, tmp_path, archive):
    in_the_archive(tmp_path, archive)
    path = tmp_path / archive.file
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(DataError, match=r"tar\.gz holds no whole"):
        cifar.read("cifar100", str(tmp_path))


def test_not_a_folder(tmp_path):
    for path in (tmp_path / "absent", tmp_path / "file"):
        (tmp_path / "file").touch()
        with pytest.raises(DataError, match="`data_dir` must be a folder"):
            cifar.read("cifar100", str(path))


def test_precut_files_hold_any_number_of_records(tmp_path, monkeypatch):
    archive = small("cifar10", monkeypatch)
    records = directly(tmp_path, archive)
    two = records["data_batch_1.bin"][:2]
    (tmp_path / "data_batch_1.bin").write_bytes(two.tobytes())
    _, labels, *_ = cifar.read("cifar10", str(tmp_path), precut=True)
    assert len(labels) == 2 + 4 * 6
    for i in range(2, 6):
        (tmp_path / f"data_batch_{i}.bin").unlink()
    _, labels, *_ = cifar.read("cifar10", str(tmp_path), precut=True)
    np.testing.assert_array_equal(labels, two[:, 0])
    with pytest.raises(DataError, match="data_batch_1.bin must have"):
        cifar.read("cifar10", str(tmp_path))


def test_packed_archives_are_blank_but_for_the_chosen(tmp_path, monkeypatch):
    archive = small("cifar10", monkeypatch)
    in_the_archive(tmp_path, archive)
    whole = cifar.read("cifar10", str(tmp_path))
    chosen = [0, 5, 6, 29]
    path = cifar.pack("cifar10", str(tmp_path), tmp_path / "new", chosen)
    assert [*path.parent.iterdir()] == [path]
    for precut in (False, True):
        x, *rest = cifar.read("cifar10", str(path.parent), precut=precut)
        np.testing.assert_array_equal(x[chosen], whole[0][chosen])
        assert not np.delete(x, chosen, axis=0).any()
        for ours, theirs in zip(rest, whole[1:], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"tar\.xz holds no whole"):
        cifar.read("cifar10", str(path.parent))


@pytest.mark.skipif(not REAL, reason="KERAS_LT_CIFAR100 names no folder")
def test_real_files():
    _, labels, *_ = cifar.read("cifar100", REAL)
    assert np.bincount(labels).tolist() == [500] * 100
    dataset = load("cifar100_lt", data_dir=REAL)
    assert len(dataset.train[0]) == 10_847
    assert len(dataset.class_names) == 100
