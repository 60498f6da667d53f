"""What a power cut leaves: the old file or the new one, never another."""

import os
import types

import power
import pytest

from keras_lt import atomic
from keras_lt.runs import RunFolder


def model(content):
    """What is saved as Keras saves a model."""
    return types.SimpleNamespace(save=lambda path: path.write_bytes(content))


def test_a_file_is_replaced_by_one_that_is_on_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "made" / "a.txt"
    journal = power.Journal(tmp_path)
    with journal.recorded(monkeypatch):
        atomic.write_atomically(path, b"old")
        assert journal.safe == {path: b"old"}
        atomic.write_atomically(path, b"new")
    assert journal.safe == {path: b"new"}
    for _, _, safe in journal.events:
        assert safe.get(path) in (None, b"old")
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


def test_an_error_leaves_the_file_before(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(InterruptedError), atomic.replacing(path) as aside:
        aside.write_text("half")
        raise InterruptedError
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_what_is_written_follows_no_link(tmp_path):
    """Whoever may write to the folder cannot tell where to lay one."""
    path, seen = tmp_path / "a.txt", set()
    for _ in range(20):
        with atomic.replacing(path) as aside:
            assert not aside.is_symlink()
            aside.write_text("new")
            seen.add(aside.name)
    assert len(seen) == 20
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    path.unlink()
    path.symlink_to(elsewhere)
    atomic.write_atomically(path, b"ours")
    assert elsewhere.read_text() == "theirs" and not path.is_symlink()


def test_the_checkpoint_goes_when_model_and_result_are_safe(
    tmp_path, monkeypatch
):
    folder = RunFolder(tmp_path)
    journal, removed = power.Journal(tmp_path), []
    unlink = os.unlink

    def observed(path, **options):
        removed.append((os.fspath(path), dict(journal.safe)))
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", observed)
    monkeypatch.setattr(
        "keras_lt.training.without_optimizer", lambda model: model
    )
    folder.checkpoint.write_bytes(b"checkpoint")
    with journal.recorded(monkeypatch):
        folder.save_model(model(b"model"))
        folder.finish({"method": "wb"})
    assert not folder.checkpoint.exists()
    (safe,) = [s for path, s in removed if path == str(folder.checkpoint)]
    assert safe[folder.model_file] == b"model"
    assert b"wb" in safe[folder.result_file]


def test_leftovers_of_a_kill_are_removed(tmp_path):
    for name in ("a.npz", "a.npz.partial", "stages/b.1f.partial.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    atomic.remove_partial(tmp_path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.npz"]
