"""CIFAR-10 and CIFAR-100 from the binary archives or from TFDS.

The python archives are pickles, which run code when read; they are refused.
"""

import contextlib
import io
import lzma
import pathlib
import tarfile
from collections.abc import Iterator
from typing import IO

import numpy as np

from keras_lt.array_files import BROKEN as DAMAGED
from keras_lt.array_files import check_regular
from keras_lt.atomic import replacing
from keras_lt.data.sources.archives import ARCHIVES, Archive
from keras_lt.data.sources.arrays import Parts
from keras_lt.data.sources.tfds import from_tfds
from keras_lt.image_reader import DataError

IMAGE_BYTES = 3 * 32 * 32
UNPACKED = 2**30  # bytes that an archive may unpack to; theirs have 2**28
AT_A_TIME = 1000  # records that are read
BROKEN = (*DAMAGED, tarfile.TarError)
WEBSITE = "https://www.cs.toronto.edu/~kriz/"


def read(name: str, data_dir: str | None, *, precut: bool = False) -> Parts:
    """Read a data set in the official order of its images.

    Args:
        name: `"cifar10"` or `"cifar100"`.
        data_dir: Folder with the official binary archive, or with the files
            extracted from it; None reads TensorFlow Datasets.
        precut: Whether the training files under `data_dir` hold any number
            of records (a subset, with a single file allowed).

    Returns:
        Training images uint8 `(N, 32, 32, 3)` and labels int64 `(N,)`, test
        images and labels, and the class names.

    Raises:
        DataError: if a file is missing, has a wrong size, or cannot be had.
    """
    if data_dir is None:
        return _read_tfds(name)
    archive = ARCHIVES[name]
    files = _Files(pathlib.Path(data_dir), archive)
    train = files.records(archive.train, precut)
    test = files.records(archive.test, False)
    names = tuple(files.read(archive.names).decode(errors="replace").split())
    classes = int(name.removeprefix("cifar"))
    if len(names) != classes:
        raise DataError(
            f"`data_dir`: {archive.names} must name {classes} classes, found "
            f"{len(names)}"
        )
    return (*train, *test, names)


def pack(
    name: str, data_dir: str, folder: pathlib.Path, indices: np.ndarray
) -> pathlib.Path:
    """Write a small archive whose other training images are blank.

    It has the official files, names, labels and sizes, so `read` takes it; a
    data set that is cut from it has the hash of one from the whole archive.

    Args:
        name: `"cifar10"` or `"cifar100"`.
        data_dir: Folder with the official archive or files.
        folder: Where to; made if missing.
        indices: Training images to keep, by their official position.

    Returns:
        The path of the archive.

    Raises:
        DataError: as `read` does.
    """
    archive = ARCHIVES[name]
    files = _Files(pathlib.Path(data_dir), archive)
    blank = np.ones(sum(archive.train.values()), bool)
    blank[indices] = False
    path = folder / archive.packed
    # Neighbouring pixels differ little.
    filters = [
        {"id": lzma.FILTER_DELTA, "dist": 1},
        {"id": lzma.FILTER_LZMA2, "preset": 1},
    ]
    with (
        replacing(path) as aside,
        lzma.open(aside, "w", filters=filters) as stream,
        tarfile.open(fileobj=stream, mode="w") as tar,
    ):
        for file in (*archive.train, *archive.test, archive.names):
            if file in archive.train:
                parts = files.rows(file, archive.train[file], False)
                rows = np.concatenate([*parts])
                mine, blank = blank[: len(rows)], blank[len(rows) :]
                rows[mine, archive.label_bytes :] = 0
                content = rows.tobytes()
            else:
                content = files.read(file)
            member = tarfile.TarInfo(f"{archive.folder}/{file}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


class _Files:
    """Files of an archive: extracted, in their folder, or in the archive."""

    def __init__(self, data_dir: pathlib.Path, archive: Archive):
        self.archive, self.data_dir = archive, data_dir
        if not data_dir.is_dir():
            raise DataError(f"`data_dir` must be a folder, got {data_dir}")
        tars = [data_dir / file for file in (archive.file, archive.packed)]
        self.tar = next(filter(pathlib.Path.exists, tars), None)
        if (data_dir / archive.folder).is_dir():
            self.tar, self.data_dir = None, data_dir / archive.folder

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[tuple[IO[bytes], int]]:
        """Open a file; there are its content and its size."""
        if self.tar is None:
            path = self.data_dir / name
            if not path.exists():
                raise DataError(
                    f"`data_dir`: {path} is missing; expected the files of "
                    f"{self.archive.file}, or that archive itself"
                )
            with open(path, "rb") as file:
                yield file, path.stat().st_size
            return
        try:
            check_regular(self.tar)
            with tarfile.open(self.tar) as tar:
                member = _find(tar, f"{self.archive.folder}/{name}")
                file = tar.extractfile(member)
                if file is None:
                    raise KeyError(f"{member.name} is no file")
                yield file, member.size
        except BROKEN as error:
            raise DataError(
                f"`data_dir`: {self.tar} holds no whole {name}: {error}"
            ) from error

    def read(self, name: str) -> bytes:
        with self.open(name) as (file, size):
            if size > UNPACKED:
                raise DataError(f"`data_dir`: {name} has {size:,} bytes")
            return file.read()

    def records(
        self, files: dict[str, int], precut: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of several files, in memory once."""
        images, labels = np.empty((0, 32, 32, 3), "uint8"), []
        pixels = self.archive.label_bytes
        for name, count in files.items():
            there = self.tar or (self.data_dir / name).exists()
            if precut and labels and not there:
                break
            for rows in self.rows(name, count, precut):
                labels.append(rows[:, pixels - 1].astype("int64"))
                planes = rows[:, pixels:].reshape(-1, 3, 32, 32)
                read = len(images)  # and more where they lie
                images.resize((read + len(rows), 32, 32, 3), refcheck=False)
                images[read:] = planes.transpose(0, 2, 3, 1)
        return images, np.concatenate(labels)

    def rows(self, name: str, count: int, precut: bool) -> Iterator[np.ndarray]:
        """Records of one file, labels and pixels one a row, some at a time."""
        size = self.archive.label_bytes + IMAGE_BYTES
        with self.open(name) as (file, found):
            expected = size * (max(found // size, 1) if precut else count)
            if found != expected:
                raise DataError(
                    f"`data_dir`: {self.data_dir / name} must have "
                    f"{expected:,} bytes, found {found:,}; it is not "
                    f"the whole file of {self.archive.file}"
                )
            while content := file.read(AT_A_TIME * size):
                yield np.frombuffer(content, "uint8").reshape(-1, size)


def _find(tar: tarfile.TarFile, name: str) -> tarfile.TarInfo:
    """A member of an archive, which is measured on the way there."""
    size = 0
    for member in tar:
        if member.name == name:
            return member
        size += member.size
        if size > UNPACKED:
            raise tarfile.TarError(
                f"it unpacks to more than {UNPACKED:,} bytes"
            )
    raise KeyError(name)


def _read_tfds(name: str) -> Parts:
    """Read with TensorFlow Datasets, sorted back into the official order."""
    url = WEBSITE + ARCHIVES[name].file
    advice = (
        f"download {url} where there is a network and name its folder with "
        "--data_dir (`data_dir`)"
    )

    def get(tfds):
        if not tfds.builder(name).data_path.exists():
            _check_network(url)  # it would retry for minutes
        loaded, info = tfds.load(name, batch_size=-1, with_info=True)
        return tfds.as_numpy(loaded), info

    arrays, info = from_tfds(name, advice, get)
    parts = []
    for split in ("train", "test"):
        # Ids are "train_00042": the position in the official files.
        order = np.argsort(arrays[split]["id"])
        parts.append(arrays[split]["image"][order])
        parts.append(arrays[split]["label"][order].astype("int64"))
    return (*parts, tuple(info.features["label"].names))


def _check_network(url: str):
    """Raise unless the address answers, with whatever status."""
    import requests

    try:
        requests.head(url, timeout=10)
    except requests.RequestException as error:
        raise ConnectionError("its address cannot be reached") from error
