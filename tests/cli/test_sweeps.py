"""An ablation in one command, with the accuracy of each branch."""

import programs
import pytest


@pytest.mark.slow
@programs.once("tensorflow")
def test_an_ablation_prints_a_table_and_draws_the_branches(tmp_path):
    pytest.importorskip("matplotlib")
    out, _ = programs.run(
        "train.py",
        "--method=reslt",
        *("--set=backbone=micro", "--set=width=4"),
        "--set=epochs=(2,)",
        "--sweep=branches=False",
        "--sweep=beta=1.0",
        "--workdir=here",
        cwd=tmp_path,
    )
    table = out.split("Mean accuracy")[1].splitlines()[2:]
    assert [line.split("  ")[0] for line in table] == [
        "reslt branches=False",
        "reslt beta=1.0",
    ]
    folder = tmp_path / "here" / "digits_lt-50-reslt-beta=1.0-seed0"
    result = programs.result(folder)
    assert result["hyperparameters"]["beta"] == 1.0
    views = result["stages"]["train"]["views"]
    assert list(views) == ["head", "medium", "tail", "head+medium", "fused"]
    assert views["fused"] == result["accuracy"]
    assert (folder / "plots" / "views.png").stat().st_size > 1000
    assert (tmp_path / "here" / "comparison.png").exists()
