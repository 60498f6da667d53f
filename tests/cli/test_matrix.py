"""Each method trained once, and several ways to go on from it."""

import numpy as np
import programs
import pytest

pytestmark = [pytest.mark.slow, programs.once("tensorflow")]
TINY = ("--method=ce", *programs.MICRO)
EPOCHS = ("--set=epochs=(2,)", "--set=crt_epochs=2")
MATRIX = (*TINY, *EPOCHS, "--then=crt", "--then=tau", "--workdir=runs")
ALONE = "digits_lt-50-ce-seed0"
LINES = (ALONE, f"{ALONE}+crt", f"{ALONE}+tau")


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    out, _ = programs.run("train.py", *MATRIX, cwd=folder)
    return folder, out


def test_a_method_is_trained_once(matrix):
    folder, out = matrix
    assert sorted(path.name for path in (folder / "runs").iterdir()) == [*LINES]
    stages = [[*programs.result(folder / "runs" / n)["stages"]] for n in LINES]
    assert stages == [["train"], ["crt"], ["tau"]]
    for name in ("crt", "tau"):
        start = f"stage {name} starts from runs/{ALONE}/stages/0-train.npz"
        assert start in out


def test_a_table_has_the_stages_side_by_side(matrix):
    folder, out = matrix
    head, row = out.partition("that follow, overall:\n")[2].splitlines()[:2]
    assert head.split() == ["method", "alone", "crt", "tau"]
    golden = ["ce"]
    for name in LINES:
        found = programs.result(folder / "runs" / name)
        golden.append(f"{100 * found['accuracy']['overall']:.1f}")
    assert row.split() == golden


def test_the_same_weights_as_of_one_chain(matrix):
    folder, _ = matrix
    programs.run(
        "train.py", *TINY, *EPOCHS, "--then=crt", "--workdir=one", cwd=folder
    )
    path = "stages/1-crt.npz"
    with (
        np.load(folder / "one" / path) as one,
        np.load(folder / "runs" / LINES[1] / path) as ours,
    ):
        assert one.files == ours.files
        for name in one.files:
            np.testing.assert_array_equal(ours[name], one[name])


def test_what_is_finished_is_skipped(matrix):
    folder, before = matrix
    (folder / "runs" / LINES[2] / "result.json").unlink()
    out, _ = programs.run("train.py", *MATRIX, cwd=folder)
    assert out.count("is complete already") == 2
    assert "tau starts from" in out
    table = before[before.index("Mean accuracy") :]
    assert out.endswith(table)


def test_goes_on_from_a_finished_run(matrix):
    folder, _ = matrix
    start = (*TINY, "--set=epochs=(2,)", f"--init_from=runs/{ALONE}")
    after = ("--then=tau", "--then=la", "--workdir=more")
    out, _ = programs.run("train.py", *start, *after, cwd=folder)
    assert out.count(f"starts from runs/{ALONE}/stages/0-train.npz") == 2
    names = [f"digits_lt-50-ce+{name}-seed0" for name in ("la", "tau")]
    assert sorted(p.name for p in (folder / "more").iterdir()) == names
    ours = programs.result(folder / "more" / names[1])
    theirs = programs.result(folder / "runs" / LINES[2])
    assert ours["accuracy"] == theirs["accuracy"]
    assert "tau" in ours["stages"] and "train" not in ours["stages"]


def test_goes_on_after_the_stages_of_a_finished_run(matrix):
    folder, _ = matrix
    start = (*TINY, *EPOCHS, f"--init_from=runs/{LINES[1]}", "--workdir=third")
    out, _ = programs.run("train.py", *start, "--then=crt,tau", cwd=folder)
    assert f"tau starts from runs/{LINES[1]}/stages/1-crt.npz" in out
    for wrong in ("lws,tau", "crt"):
        _, err = programs.run(
            "train.py",
            *(*TINY, "--set=epochs=(2,)", f"--init_from=runs/{LINES[1]}"),
            *(f"--then={wrong}", "--workdir=none"),
            cwd=folder,
            status=2,
        )
        assert f"--init_from had, crt, got {wrong};" in err
    assert not (folder / "none").exists()
