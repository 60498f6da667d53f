"""Files of arrays from strangers cost no more than they are."""

import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
import same_examples  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st

from keras_lt.array_files import check_archive, read_arrays, write_arrays


def npy(header, content=b""):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def described(shape, dtype="<f4"):
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}"


def archive(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("a.npy", content)
    return path


ONE = npy(described("(1,)"), b"\0\0\0\0")
HOSTILE = {
    "claims": npy(described("(1000000000000,)")),
    "negative": npy(described("(-1,)")),
    "overflow": npy(described("(9223372036854775807, 2)")),
    "objects": npy(described("(1,)", "|O"), pickle.dumps([1])),
    "code": npy("__import__('os').abort()"),
    "deep": npy("(" * 9000),
    "version": ONE.replace(b"\x01\x00", b"\x03\x00", 1),
    "short": ONE[:-1],
    "long": ONE + b"\0",
    "nothing": b"",
    "no_shape": npy("{'descr': '<f4', 'fortran_order': False}"),
    "dtype": npy(described("(1,)", "<z9"), b"\0"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_array_is_refused(kind, tmp_path):
    path = archive(tmp_path / "a.npz", HOSTILE[kind])
    with pytest.raises(ValueError, match="a.npz is no file of arrays"):
        read_arrays(path)


@pytest.mark.parametrize("read", [read_arrays, check_archive])
def test_an_archive_is_measured_before_it_is_unpacked(read, tmp_path):
    zeros = bytes(2**24)
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(20):
            file.writestr(f"{number}.npy", zeros)
    assert path.stat().st_size < 2**19
    tracemalloc.start()
    with pytest.raises(ValueError, match="unpack to 335,544,320 bytes"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("read", [read_arrays, check_archive])
def test_what_is_no_file_is_not_opened(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero"):
        with pytest.raises(ValueError, match="no regular file"):
            read(path)


def test_what_numpy_writes_is_read(tmp_path):
    arrays = {
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "empty": np.zeros((0, 3), "float16"),
        "number": np.array(7),
        "text": np.array(["a", "\u00e4\u00e4"]),
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    found = read_arrays(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    found["columns"] += 1  # it is ours


@given(where=st.floats(0, 1), bit=st.integers(0, 7), cut=st.booleans())
def test_damage_anywhere_is_an_error_or_nothing(
    where, bit, cut, tmp_path_factory
):
    path = tmp_path_factory.mktemp("damage") / "a.npz"
    arrays = {"a": np.arange(12.0), "b": np.array("text")}
    write_arrays(path, arrays)
    content = bytearray(path.read_bytes())
    place = int(where * (len(content) - 1))
    content[place] ^= 1 << bit
    path.write_bytes(content[:place] if cut else content)
    try:
        found = read_arrays(path)
    except ValueError as error:
        assert str(error).startswith(str(path))
        return
    for name in found.keys() & arrays.keys():
        np.testing.assert_array_equal(found[name], arrays[name])


def test_nothing_but_bytes_is_needed():
    """The header of the tests is numpy's own."""
    buffer = io.BytesIO(ONE)
    np.testing.assert_array_equal(np.load(buffer), [0.0])
