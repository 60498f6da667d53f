"""predict.py on a model that names the brightest third of an image."""

import csv
import io
import json

import numpy as np
import programs
import pytest
from PIL import Image

from keras_lt.cli import given_images, predict

NAMES = ["left", "middle", "right"]
CONTENT = {
    "class_names": NAMES,
    "class_counts": [2, 1, 1],
    "image_shape": [3, 3, 3],
    "whole": 3,
}

pytestmark = programs.once("jax")  # it knows none


@pytest.fixture
def batches(monkeypatch):
    """Sizes of the batches that a model was asked about."""
    sizes = []

    def ask(images):
        sizes.append(len(images))
        return images.mean((1, 3), dtype="float32") / 100

    monkeypatch.setattr(predict, "open_artefact", lambda path: (ask, CONTENT))
    return sizes


def columns(*values):
    return np.tile(np.array(values, "uint8")[:, None], (3, 1, 3))


def write(folder):
    """Images of all kinds, and what is none."""
    (folder / "photos" / ".trash").mkdir(parents=True)
    for name in (
        "a.tiff",
        "b.TIF",
        "c.jp2",
        "d.ppm",
        "._d.ppm",
        ".trash/e.png",
    ):
        Image.fromarray(columns(200, 0, 0)).save(folder / "photos" / name)
    np.save(folder / "photos" / "f.npy", [columns(0, 0, 200)] * 2)
    (folder / "photos" / "notes.txt").write_text("no picture")


def test_every_kind_that_training_reads_is_found(batches, tmp_path):
    write(tmp_path)
    out, _ = programs.run("predict.py", "model", "photos", cwd=tmp_path)
    said = [line.split()[:2] for line in out.splitlines()]
    assert said == [
        ["photos/a.tiff", "left"],
        ["photos/b.TIF", "left"],
        ["photos/c.jp2", "left"],
        ["photos/d.ppm", "left"],
        ["photos/f.npy[0]", "right"],
        ["photos/f.npy[1]", "right"],
    ]
    assert batches == [6]


def test_broken_files_are_named_and_the_others_answered(batches, tmp_path):
    write(tmp_path)
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    (tmp_path / "photos" / "broken.npy").write_bytes(b"\x93NUMPY")
    np.save(tmp_path / "photos" / "large.npy", np.zeros((1, 9, 9, 3), "uint8"))
    ask = ("predict.py", "model", "photos", "--format=json")
    out, err = programs.run(*ask, cwd=tmp_path, status=1)
    first, second, third = err.splitlines()
    assert first.startswith("error: photos/broken.jpg cannot be read: ")
    assert second.startswith("error: photos/broken.npy is no array: ")
    assert third.startswith(
        "error: photos/large.npy must hold uint8 (B, 3, 3, 3)"
    )
    said = {answer["image"]: answer for answer in json.loads(out)}
    assert len(said) == 9
    assert said["photos/broken.jpg"]["answer"] is None
    assert said["photos/broken.jpg"]["error"] in first
    assert said["photos/f.npy[1]"]["answer"] == "right"


def test_csv_with_images_of_which_the_model_is_unsure(batches, tmp_path):
    shape = (64, 3, 3, 3)
    rows = np.broadcast_to(columns(200, 0, 0), shape)
    np.save(tmp_path / "clear.npy", rows)
    np.save(tmp_path / "blurred.npy", [columns(20, 10, 0)])
    (tmp_path / "none.png").touch()
    out, _ = programs.run(
        *("predict.py", "model", "clear.npy", "blurred.npy", "none.png"),
        *("--format=csv", "--top=9", "--abstain_below=0.5"),
        cwd=tmp_path,
        status=1,
    )
    table = [*csv.DictReader(io.StringIO(out))]
    assert len(table) == 66
    assert batches == [64, 1]
    assert [row["answer"] for row in table[-3:]] == ["left", "", ""]
    clear = table[0]
    shares = [float(clear[f"probability_{i}"]) for i in (1, 2, 3)]
    e = np.exp(2)
    np.testing.assert_allclose(shares, [e / (e + 2), *[1 / (e + 2)] * 2], 1e-5)
    assert table[-1]["class_1"] == "" and "cannot be read" in table[-1]["error"]
    out, _ = programs.run(
        *("predict.py", "model", "blurred.npy", "--abstain_below=0.5"),
        cwd=tmp_path,
    )
    assert out == (
        "blurred.npy[0]  unsure: left 36.7 %,  middle 33.2 %,  right 30.1 %\n"
    )


def test_few_images_are_in_memory(batches, tmp_path, monkeypatch):
    """Files are read when their turn comes."""
    monkeypatch.setattr(given_images, "CHUNK", 2)
    for i in range(6):
        Image.fromarray(columns(200, 0, 0)).save(tmp_path / f"{i}.png")
    read = given_images.read([tmp_path / f"{i}.png" for i in range(6)], CONTENT)
    assert next(read)[1].shape == (3, 3, 3)
    (tmp_path / "5.png").unlink()
    assert "cannot be read" in str([*read][-1][1])


def test_a_run_stands_for_what_was_exported_of_it(tmp_path):
    assert predict._exported(tmp_path) == tmp_path
    (tmp_path / "result.json").touch()
    with pytest.raises(ValueError, match="keras-lt export .* does that"):
        predict._exported(tmp_path)
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "model.onnx").touch()
    found = predict._exported(tmp_path)
    assert found == tmp_path / "export" / "model.onnx"
