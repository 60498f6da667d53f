"""Pages about runs, in a browser where there is one."""

import json
import os
import re
import shutil

import browser
import numpy as np
import programs
import pytest

from keras_lt import array_files, evaluation

pytest.importorskip("jinja2")
FIRST_VERSION = programs.ROOT / "tests" / "runs" / "first_version"
PHOTOS = ("--dataset=folder", "--data_dir=photos", "--image_size=16")


@pytest.fixture
def runs(tmp_path):
    """Finished runs of version 0.1.0, "wb" and "ride"."""
    for name in ("wb", "ride"):
        shutil.copytree(FIRST_VERSION / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def trained(finished, tmp_path):
    """Finished runs of now."""
    for name in ("wb", "ride"):
        shutil.copytree(finished(name)[0], tmp_path / name)
    return tmp_path


@pytest.fixture
def photos(tmp_path):
    programs.write_photos(tmp_path / "photos")
    return tmp_path


def exact(page, name):
    pattern = rf'data-measure="{name}" data-exact="([^"]+)"'
    return [float(value) for value in re.findall(pattern, page)]


@programs.once("tensorflow")
def test_a_report_of_two_runs(runs):
    out, _ = programs.run(
        *("report", "wb", "ride", "--out=both.html", "--title=Two of them"),
        cwd=runs,
    )
    assert "asking about 500 test images" in out
    assert "both.html written" in out
    page = (runs / "both.html").read_text()
    results = [programs.result(runs / name) for name in ("wb", "ride")]
    for name in ("overall", "few"):
        golden = [result["accuracy"][name] for result in results]
        assert exact(page, name) == pytest.approx(golden, abs=0.005)
    assert "<title>Two of them</title>" in page
    split = results[0]["split_sha256"]
    for text in (split, "McNemar", "report wb ride", "% use 1"):
        assert text in page


@programs.once("tensorflow")
def test_answers_are_kept_and_need_no_data(runs, monkeypatch):
    programs.run("report", "wb", cwd=runs)
    before = (runs / "wb" / "report.html").read_text()
    answers = array_files.read_arrays(runs / "wb" / "answers.npz")
    assert answers["test_logits"].shape == (500, 10)
    out, _ = programs.run("report", "wb", cwd=runs)
    assert "asking" not in out
    assert (runs / "wb" / "report.html").read_text() == before

    def missing(*_, **__):
        raise ValueError("no images here")

    monkeypatch.setattr("keras_lt.data.load", missing)
    out, _ = programs.run("report", "wb", cwd=runs)
    assert "no pictures: no images here" in out
    after = (runs / "wb" / "report.html").read_text()
    assert "<img" in before and "<img" not in after
    assert exact(after, "balanced") == exact(before, "balanced")
    answers = runs / "wb" / "answers.npz"
    whole = answers.read_bytes()
    answers.write_bytes(whole[:999])
    _, err = programs.run("report", "wb", cwd=runs, status=2)
    assert "no images here" in err
    answers.write_bytes(whole)
    later = answers.stat().st_mtime + 9
    os.utime(runs / "wb" / "model.keras", (later, later))
    _, err = programs.run("report", "wb", cwd=runs, status=2)
    assert "no images here" in err and err.count("\n") == 1


@programs.once("tensorflow")
def test_runs_that_cannot_be_shown(tmp_path):
    _, err = programs.run("report", "absent", cwd=tmp_path, status=2)
    assert "absent" in err and err.count("\n") == 1
    _, err = programs.run("report", cwd=tmp_path, status=2)
    assert "expected RUN... beside --flags" in err


def own_run(photos):
    """A run on photos; returns its folder."""
    programs.run(
        *("train.py", "--method=ce", *PHOTOS, "--set=backbone=micro"),
        *("--set=width=4", "--set=batch_size=14", "--set=epochs=(2,)"),
        *("--noplots", "--workdir=own"),
        cwd=photos,
    )
    return photos / "own"


def classes_by(column, page):
    """Classes in the order of the table, sorted by a column."""
    page.run(
        "document.querySelectorAll('#class-table thead th')"
        f"[{column}].querySelector('button').click()"
    )
    return page.run(
        "[...document.querySelectorAll('#class-table tbody tr')]"
        f".map(row => row.cells[{column}].textContent)"
    )


@browser.needed
@pytest.mark.slow
@programs.once("jax")
def test_the_page_in_a_browser(trained, photos):
    folder = trained
    own_run(photos)
    with browser.Browser() as page:
        for name in ("wb", "ride", "own"):
            programs.run("report", name, cwd=folder)
            path = folder / name / "report.html"
            page.open(path.as_uri())
            assert page.requests == [path.as_uri()]
            assert "<img" in path.read_text()
            for column in (2, 4):
                up, down = classes_by(column, page), classes_by(column, page)
                values = [float(text) for text in up]
                assert values == sorted(values) and down == up[::-1]
            for power in (-1, -0.35, 0, 0.6, 1):
                moved(page, power, folder / name)
            for width in (1280, 390):
                page.size(width)
                wide = "document.documentElement.scrollWidth"
                assert page.run(wide) <= width
            serious(page)
            assert page.errors == []
        inspected(page, folder)


def inspected(page, folder):
    """The page about the photographs themselves."""
    programs.run(
        *("inspect_data.py", "--data_dir=photos", "--image_size=16"),
        *("--report", "--plot="),
        cwd=folder,
    )
    address = (folder / "data.html").as_uri()
    page.open(address, width=390)
    assert page.run("document.documentElement.scrollWidth") <= 390
    assert classes_by(2, page) == ["3", "8", "19"]
    serious(page)
    assert page.requests == [address] and page.errors == []


def moved(page, power, folder):
    """What the page says under a prior is what numpy says."""
    shown = page.run(
        f"""(() => {{
          const slider = document.getElementById("power");
          slider.value = {power};
          slider.dispatchEvent(new Event("input"));
          const cells = document.querySelectorAll("#figures td");
          return JSON.stringify([...cells].map((cell) => [
            cell.dataset.figure, cell.dataset.column, cell.dataset.exact]));
        }})()"""
    )
    shown = {(n, int(c)): float(x) for n, c, x in json.loads(shown)}
    expects = float(page.run("document.querySelector('select').value"))
    answers = array_files.read_arrays(folder / "answers.npz")
    logits, labels = answers["test_logits"], answers["test_labels"]
    counts = programs.result(folder)["class_counts"]
    prior = evaluation.power_prior(counts, power)
    weights = evaluation.weights_of_prior(labels, prior)
    scores = logits + (power - expects) * np.log(counts)
    rarest = "few" if ("few", 0) in shown else "tail"
    for column, answered in enumerate((scores, logits)):
        found = evaluation.measures(
            *(evaluation.softmax(answered), labels, counts),
            weights=weights,
            groups="shots" if rarest == "few" else "thirds",
        )
        for name in ("overall", "balanced", rarest, "macro_f1", "worst_class"):
            assert shown[name, column] == pytest.approx(found[name]), name


def serious(page):
    """No serious fault for those who do not see it; if axe-core is at hand."""
    if "AXE_CORE" not in os.environ:
        return
    with open(os.environ["AXE_CORE"]) as file:
        page.run(file.read())
    found = page.run(
        "axe.run().then((found) => JSON.stringify(found.violations"
        ".filter((v) => ['serious', 'critical'].includes(v.impact))"
        ".map((v) => [v.id, v.nodes[0].html])))"
    )
    assert json.loads(found) == []


@pytest.mark.slow
@programs.once("jax")
def test_the_report_says_what_the_result_says(finished, tmp_path):
    """Of a router, whose logits are not all that the model gives."""
    shutil.copytree(finished("ride")[0], tmp_path / "ride")
    programs.run("report", "ride", cwd=tmp_path)
    page = (tmp_path / "ride" / "report.html").read_text()
    accuracy = programs.result(tmp_path / "ride")["accuracy"]
    for name in ("overall", "balanced", "many", "medium", "few"):
        assert exact(page, name) == pytest.approx([accuracy[name]])
