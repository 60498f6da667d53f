"""One process a folder."""

import json
import os
import subprocess
import sys

import programs
import pytest

from keras_lt.runs import RunFolder, lock
from keras_lt.runs.lock import Locked, held_by, locked

pytestmark = programs.once("tensorflow")


def test_a_second_one_is_refused_with_the_first_ones_name(tmp_path):
    path = tmp_path / "run.lock"
    with locked(path, "--workdir: here"):
        before = path.read_text()
        with pytest.raises(Locked, match=f"^--workdir: here .*{os.getpid()}"):
            with locked(path, "--workdir: here"):
                raise AssertionError
        assert path.read_text() == before
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    "changed",
    [{"pid": 2**22 + 1}, {"started": "another 1"}, {"pid": "me"}],
    ids=str,
)
def test_the_lock_of_a_dead_process_does_not_count(tmp_path, changed):
    path = tmp_path / "run.lock"
    with locked(path, ""):
        content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changed))
    os.utime(path, (1, 1))
    assert held_by(path) is None
    with locked(path, ""):
        assert held_by(path)
    assert not [*tmp_path.iterdir()]


def test_elsewhere_signs_of_life_count(tmp_path, monkeypatch):
    path = tmp_path / "run.lock"
    with locked(path, ""):
        monkeypatch.setattr(lock.socket, "gethostname", lambda: "elsewhere")
        assert held_by(path)
        os.utime(path, (1, 1))
        assert held_by(path) is None


def test_a_killed_process_leaves_nothing_that_holds(tmp_path):
    program = (
        "import os, pathlib, signal\n"
        "from keras_lt.runs.lock import locked\n"
        f"with locked(pathlib.Path({str(tmp_path / 'run.lock')!r}), ''):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program])
    assert done.returncode == -9
    assert (tmp_path / "run.lock").exists()
    with locked(tmp_path / "run.lock", ""):
        pass


def test_of_many_at_once_one_gets_it(tmp_path):
    program = (
        "import pathlib, sys, time\n"
        "from keras_lt.runs.lock import Locked, locked\n"
        "sys.stdin.readline()\n"
        "try:\n"
        f"    with locked(pathlib.Path({str(tmp_path / 'run.lock')!r}), ''):\n"
        "        print('got', flush=True)\n"
        "        sys.stdin.readline()\n"
        "except Locked:\n"
        "    print('not', flush=True)\n"
    )
    (tmp_path / "run.lock").write_text('{"pid": 0, "host": "gone"}')
    os.utime(tmp_path / "run.lock", (1, 1))
    many = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    for process in many:
        process.stdin.write("\n")
        process.stdin.flush()
    said = sorted(process.stdout.readline().strip() for process in many)
    for process in many:
        process.communicate("\n")
    assert said == ["got", "not", "not", "not", "not"]


def test_a_run_that_is_trained_elsewhere_is_refused(tmp_path):
    folder = RunFolder(tmp_path)
    with folder.locked(), pytest.raises(Locked, match="is in use by process"):
        folder.check_free(None, True, {})
    folder.check_free(None, True, {})  # nothing is left


def test_leftovers_of_a_first_write_are_free(tmp_path):
    (tmp_path / "run.lock").write_text("")
    os.utime(tmp_path / "run.lock", (1, 1))
    (tmp_path / "config.0123.partial.json").write_text("{")
    RunFolder(tmp_path).check_free(None, True, {})
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ValueError, match="not empty and holds no run"):
        RunFolder(tmp_path).check_free(None, True, {})
