"""Programs that JAX compiled once are read from disk, or not."""

import os

import numpy as np
import programs
import pytest

from keras_lt import compilation_cache
from keras_lt.compilation_cache import use_compilation_cache

DIRECTORY = "JAX_COMPILATION_CACHE_DIR"
SECONDS = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
VARIABLES = (
    *(DIRECTORY, SECONDS, "JAX_ENABLE_COMPILATION_CACHE"),
    *("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "KERAS_LT_CACHE"),
)


@pytest.fixture(autouse=True)
def root(monkeypatch, tmp_path):
    """As in a new shell of somebody whose cache folder is empty."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "to be restored")
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "keras_lt" / "jax"


def test_it_lies_in_the_cache_folder_of_the_user(root):
    folder = use_compilation_cache()
    assert folder.parent == root
    assert folder.is_dir()
    assert os.environ[DIRECTORY] == str(folder)
    assert os.environ[SECONDS] == "0"


def test_without_a_cache_folder_it_lies_at_home(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    at_home = tmp_path / ".cache" / "keras_lt" / "jax"
    assert use_compilation_cache().parent == at_home


def test_the_user_may_name_a_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_LT_CACHE", str(tmp_path / "mine"))
    assert use_compilation_cache().parent == tmp_path / "mine"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KERAS_LT_CACHE", "off"),
        (DIRECTORY, "theirs"),
        ("JAX_ENABLE_COMPILATION_CACHE", "false"),
    ],
)
def test_the_user_may_decide_otherwise(monkeypatch, root, name, value):
    monkeypatch.setenv(name, value)
    before = dict(os.environ)
    assert use_compilation_cache() is None
    assert dict(os.environ) == before
    assert not root.exists()


def test_where_nothing_can_be_written_there_is_none(monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file, not a folder")
    assert use_compilation_cache() is None
    assert DIRECTORY not in os.environ


def test_each_kind_of_processor_has_its_own(monkeypatch):
    first = use_compilation_cache()
    monkeypatch.delenv(DIRECTORY)
    monkeypatch.setattr(compilation_cache, "CPU", ("microcode",))
    assert use_compilation_cache() != first


def test_what_was_not_used_for_long_goes_first(root):
    folder = root / "any"
    folder.mkdir(parents=True)
    for number, name in enumerate(("b", "a", "c", "d")):
        path = folder / f"{name}-cache"
        path.write_bytes(bytes(10))
        os.utime(path, (100 + number, 1))
    (folder / "other").write_bytes(bytes(100))
    use_compilation_cache(limit=25)
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["c-cache", "d-cache", "other"]


@pytest.mark.slow
@programs.once("jax")
def test_programs_are_compiled_once_and_results_stay(root, tmp_path):
    def start(name):
        return programs.start(
            *programs.TINY,
            f"--workdir={name}",
            cwd=tmp_path,
        )

    def end(*runs):
        for run in runs:
            _, err = run.communicate(timeout=300)
            assert run.returncode == 0, err
            assert "Warning" not in err, err

    def kept():
        return {path.name for path in root.glob("*/*-cache")}

    end(start("first"), start("beside"))
    compiled = kept()
    assert any(name.startswith("jit_train_step") for name in compiled)
    end(start("again"))
    assert kept() == compiled
    first, *others = (
        np.load(tmp_path / name / "stages" / "0-train.npz")
        for name in ("first", "beside", "again")
    )
    for other in others:
        for name in first.files:
            np.testing.assert_array_equal(other[name], first[name])
