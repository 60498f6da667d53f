"""Advice, and the page that it stands on."""

import numpy as np
import programs
import pytest
from PIL import Image

from keras_lt.reporting.advice import Facts, advise, tail_numbers

pytestmark = programs.once("tensorflow")


def said(**facts):
    values = {
        "train": (100, 100, 100),
        "test": (50, 50, 50),
        "has_validation": True,
        "names": ("ant", "bee", "cat"),
    }
    return {a.what: a.why for a in advise(Facts(**values | facts))}


def test_a_balanced_set_needs_nothing():
    (what,) = said()
    assert "--method=ce" in what and "--then" not in what


def test_a_tail():
    found = said(train=(500, 60, 12))
    assert any("--then=la" in what for what in found)
    assert any("--method=wb" in what for what in found)
    assert not any("--method=ride" in what for what in found)
    assert "41.67 times" in "".join(found.values())
    mild = said(train=(100, 60, 20))
    assert not any("--method=wb" in what for what in mild)
    assert not any("--method=auto" in what for what in found)
    own = said(train=(500, 60, 12), on_disk=True)
    assert any("--method=auto" in what for what in own)
    large = said(train=(90_000, 5000, 100))
    assert any("--method=ride" in what for what in large)


def test_splits():
    found = said(train=(100, 90, 50), has_validation=False)
    assert any("--validation_per_class=10" in what for what in found)
    found = said(train=(100, 90, 4), has_validation=False)
    assert not any("--validation_per_class" in what for what in found)
    assert any("several seeds" in what for what in found)


def test_classes_that_are_too_small():
    found = said(test=(50, 10, 2))
    assert "Do not judge bee, cat alone." in found
    # Wilson: (0.8 + 0.9604 -+ sqrt(0.16 * 1.9208 + 0.9604^2)) / 2.9208.
    assert "measured as 22 to 98 %" in found["Do not judge bee, cat alone."]
    assert any("balanced accuracy" in what for what in found)
    assert "Collect images of cat." in said(train=(100, 50, 4))
    many = said(
        **{"train": (9,) * 20, "test": (1,) * 20},
        names=[f"c{i}" for i in range(20)],
    )
    assert any(what.endswith("c7 and 12 more alone.") for what in many)


def test_what_is_to_be_mended_comes_first():
    found = said(leaks=4, conflicts=2, unreadable=1, stretched=7)
    assert ["two splits" in what for what in found][0]
    assert sum("--unreadable=skip" in what for what in found) == 1
    assert sum("--image_size" in what for what in found) == 1


def test_numbers_of_the_tail():
    found = tail_numbers((80, 5, 5, 5, 5))
    assert found["imbalance ratio"] == "16"
    assert found["tail classes for one of the head"] == "4.00"


def test_the_page_of_a_folder(tmp_path):
    pytest.importorskip("jinja2")
    random = np.random.default_rng(0)
    for name, number in (("ant", 12), ("<bee>", 4)):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for i in range(number):
            small = random.integers(0, 256, (6, 6, 3), "uint8")
            image = Image.fromarray(small).resize((40, 40))
            image.save(folder / f"{i}.png")
    photos = tmp_path / "photos"
    copy = (photos / "ant" / "3.png").read_bytes()
    (photos / "<bee>" / "copy.png").write_bytes(copy)
    (photos / "ant" / "bad.png").write_bytes(b"no image")
    (photos / "ant" / "notes.txt").touch()
    out, _ = programs.run(
        *("inspect_data.py", "--data_dir=photos", "--image_size=16"),
        *("--report", "--out=page.html", "--plot="),
        cwd=tmp_path,
    )
    assert "unreadable: photos/ant/bad.png cannot be read" in out
    assert "unreadable: 1" in out and "page.html written" in out
    page = (tmp_path / "page.html").read_text()
    for text in (
        "Settle the labels of equal images.",
        "--unreadable=skip",
        "as a training sees them: 1.",
        "photos/ant/bad.png cannot be read",
        "ant/notes.txt",
        "&lt;bee&gt;",
        "cleanlab",
    ):
        assert text in page, text
    assert "<bee>" not in page
    assert page.count('alt="ant, train, photos/ant/3.png"') == 1


def test_the_page_of_digits_finds_no_fault(tmp_path):
    pytest.importorskip("jinja2")
    programs.run(
        *("inspect_data.py", "--dataset=digits_lt", "--report", "--plot="),
        cwd=tmp_path,
    )
    page = (tmp_path / "data.html").read_text()
    assert "All images can be read." in page
    assert "as a training sees them: 0." in page
