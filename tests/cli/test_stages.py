"""Four stages, two views, and starts from another run's stages."""

import numpy as np
import programs
import pytest

pytestmark = programs.once("tensorflow")
TINY = ("--set=backbone=resnet8", "--set=width=4", "--noplots")
SSD = ("--method=ssd", "--set=epochs=(2,2,2,2)", *TINY)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ssd")
    out, _ = programs.run("train.py", *SSD, "--workdir=run", cwd=folder)
    return folder, out


def test_a_run_reports_every_head(finished):
    folder, out = finished
    found = programs.result(folder / "run")
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
    plain = result_of_a_plain_network(folder)
    assert found["parameters"] == plain["parameters"]


def result_of_a_plain_network(folder):
    if not (folder / "ce").exists():
        programs.run(
            "train.py",
            *("--method=ce", "--set=epochs=(2,)", *TINY),
            "--workdir=ce",
            cwd=folder,
        )
    return programs.result(folder / "ce")


def test_starts_from_the_stage_before(finished):
    folder, _ = finished
    out, _ = programs.run(
        "train.py",
        *(*SSD, "--init_from=run", "--from_stage=distill"),
        *("--set=soft_labels=cached", "--workdir=again"),
        cwd=folder,
    )
    assert "distill starts from run/stages/1-soft_labels.npz" in out
    assert "soft labels of 287 images" in out
    assert list(programs.result(folder / "again")["stages"]) == [
        "distill",
        "rescale",
    ]
    with np.load(folder / "again" / "stages" / "soft_labels.npz") as archive:
        assert archive["arr_0"].shape == (287, 10)


def test_balances_the_network_of_another_method(finished):
    folder, _ = finished
    plain = result_of_a_plain_network(folder)
    out, _ = programs.run(
        "train.py",
        *("--method=ssd", "--set=epochs=(2,2,0,0)", *TINY),
        *("--init_from=ce", "--from_stage=soft_labels", "--workdir=lws"),
        cwd=folder,
    )
    assert "soft_labels starts from ce/model.keras" in out
    found = programs.result(folder / "lws")
    assert list(found["stages"]) == ["soft_labels"]
    before, after = (
        np.array(run["stages"][stage]["class_norms"])
        for run, stage in ((plain, "train"), (found, "soft_labels"))
    )
    assert not np.allclose(before, after, rtol=1e-4)


def test_weights_that_do_not_fit_are_refused(finished):
    folder, _ = finished
    _, err = programs.run(
        "train.py",
        *(*SSD, "--set=width=8", "--init_from=run", "--from_stage=distill"),
        "--workdir=wide",
        cwd=folder,
        status=2,
    )
    line = err.splitlines()[-1]
    assert line.startswith("error: weights to start from do not fit: ")
    assert "has shape (3, 3, 1, 4) in the source, and (3, 3, 1, 8)" in line
    assert not (folder / "wide").exists()
