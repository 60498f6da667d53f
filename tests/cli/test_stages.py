"""Four stages, two views, and starts from another run's stages."""

import numpy as np
import programs
import pytest

pytestmark = programs.once("tensorflow")
SSD = ("--method=ssd", "--set=epochs=(2,2,2,2)", *programs.MICRO)


@pytest.mark.slow
def test_a_run_reports_every_head(finished):
    folder, out = finished("ssd")
    found = programs.result(folder)
    assert list(found["stages"]) == [
        "self_supervised",
        "soft_labels",
        "distill",
        "rescale",
    ]
    views = found["stages"]["distill"]["views"]
    assert list(views) == ["hard", "soft", "teacher"]
    assert views["soft"] == found["stages"]["distill"]["accuracy"]
    assert found["accuracy"] == found["stages"]["rescale"]["accuracy"]
    for words in ("distill, alone", "hard", "rescale"):
        assert words in out
    # What is served is encoder and one dense layer.
    plain = programs.result(finished("ce")[0])
    assert found["parameters"] == plain["parameters"]


@pytest.mark.slow
def test_starts_from_the_stage_before(finished, tmp_path):
    run, _ = finished("ssd")
    out, _ = programs.run(
        "train.py",
        *(*SSD, f"--init_from={run}", "--from_stage=distill"),
        *("--set=soft_labels=cached", "--workdir=again"),
        cwd=tmp_path,
    )
    assert f"distill starts from {run}/stages/1-soft_labels.npz" in out
    assert "soft labels of 287 images" in out
    assert list(programs.result(tmp_path / "again")["stages"]) == [
        "distill",
        "rescale",
    ]
    with np.load(tmp_path / "again" / "stages" / "soft_labels.npz") as archive:
        assert archive["arr_0"].shape == (287, 10)


@pytest.mark.slow
def test_balances_the_network_of_another_method(finished, tmp_path):
    run, _ = finished("ce")
    plain = programs.result(run)
    out, _ = programs.run(
        "train.py",
        *("--method=ssd", "--set=epochs=(2,2,0,0)", *programs.MICRO),
        *(f"--init_from={run}", "--from_stage=soft_labels", "--workdir=lws"),
        cwd=tmp_path,
    )
    assert f"soft_labels starts from {run}/model.keras" in out
    found = programs.result(tmp_path / "lws")
    assert list(found["stages"]) == ["soft_labels"]
    before, after = (
        np.array(run["stages"][stage]["class_norms"])
        for run, stage in ((plain, "train"), (found, "soft_labels"))
    )
    assert not np.allclose(before, after, rtol=1e-4)


def test_weights_that_do_not_fit_are_refused(finished, tmp_path):
    run, _ = finished("ssd")
    _, err = programs.run(
        "train.py",
        *(*SSD, "--set=width=8", f"--init_from={run}", "--from_stage=distill"),
        "--workdir=wide",
        cwd=tmp_path,
        status=2,
    )
    line = err.splitlines()[-1]
    assert line.startswith("error: weights to start from do not fit: ")
    assert "has shape (3, 3, 1, 4) in the source, and (3, 3, 1, 8)" in line
    assert not (tmp_path / "wide").exists()
