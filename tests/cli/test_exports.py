"""export.py and predict.py, on a run of train.py."""

import json
import os
import shutil

import numpy as np
import programs
import pytest

from keras_lt import data
from keras_lt.image_reader import ORIENTATION

# tests/export has both backends.
pytestmark = [programs.once("tensorflow"), pytest.mark.slow]


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    shutil.copytree(finished("ce")[0], folder / "run")
    with pytest.MonkeyPatch.context() as patch:
        programs.ask_here(patch)
        out, _ = programs.run("export.py", "run", "--check=test", cwd=folder)
    assert "on 700 test images no logit differs by more than" in out
    return folder / "run"


def test_accuracy_is_that_of_the_run(run):
    import tensorflow as tf

    images, labels = data.load("digits_lt").test
    folder = run / "export" / "saved_model"
    answer = tf.saved_model.load(folder).signatures["serving_default"]
    logits = answer(images=tf.constant(images))["logits"].numpy()
    expected = programs.result(run)["accuracy"]["overall"]
    assert np.mean(logits.argmax(1) == labels) == expected
    content = folder / "assets.extra" / "keras_lt.json"
    assert json.loads(content.read_text())["method"] == "ce"


def test_the_signatures_that_tensorflow_shows(run, capsys):
    from tensorflow.python.tools import saved_model_cli

    folder = run / "export" / "saved_model"
    asked = ["show", "--dir", str(folder), "--all"]
    asked = saved_model_cli.create_parser().parse_args(asked)
    asked.func()
    out = capsys.readouterr().out
    for name in ("serving_default", "serve", "serve_with_prior"):
        assert f"signature_def['{name}']" in out
    assert "inputs['images'] tensor_info" in out
    assert "dtype: DT_UINT8" in out


def test_predict(run, tmp_path):
    import PIL.Image

    images, _ = data.load("digits_lt").test
    np.save(tmp_path / "two.npy", images[:2])
    (tmp_path / "photos").mkdir()
    photo = PIL.Image.fromarray(images[0, :, :, 0])
    photo.save(tmp_path / "photos" / "digit.png")
    ask = ("predict.py", run / "export" / "saved_model")
    out, _ = programs.run(*ask, "two.npy", "photos", cwd=tmp_path)
    first, second, third = out.splitlines()
    assert first.startswith("two.npy[0]") and first.count("%") == 3
    assert second.startswith("two.npy[1]")
    assert third.startswith("photos/digit.png")
    assert first.split()[1:] == third.split()[1:]
    moved, _ = programs.run(
        *ask, "two.npy", "--prior=uniform", "--top=10", cwd=tmp_path
    )
    assert moved.splitlines()[0].count("%") == 10
    assert first.split()[1:] != moved.splitlines()[0].split()[1:7]


def test_photographs_are_read_as_in_training(run, tmp_path):
    """A wide one whose camera was turned: its centre, upright."""
    import PIL.Image

    photo = np.random.default_rng(0).integers(0, 256, (30, 90, 3), "uint8")
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6
    PIL.Image.fromarray(photo).save(tmp_path / "wide.png", exif=exif)
    pixels = data.read_image(tmp_path / "wide.png", 8, whole=8, channels=1)
    np.save(tmp_path / "read.npy", pixels[None])
    ask = ("predict.py", run / "export" / "saved_model", "--top=10")
    out, _ = programs.run(*ask, "wide.png", "read.npy", cwd=tmp_path)
    photograph, array = (line.split()[1:] for line in out.splitlines())
    assert photograph == array


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent.npy"], "IMAGES: absent.npy is missing"),
        ([], "expected ARTEFACT IMAGES... beside --flags"),
        (["empty"], "IMAGES: there are none"),
        (["good.npy", "--prior=1,2"], "--prior must be uniform or 10 numbers"),
        (["good.npy", "--top=0"], "--top must be > 0, got 0"),
        (["good.npy", "--format=xml"], "--format must be one of ('text', "),
    ],
    ids=str,
)
def test_bad_questions(run, arguments, words, tmp_path):
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "good.npy", np.zeros((1, 8, 8, 1), "uint8"))
    artefact = run / "export" / "saved_model"
    _, err = programs.run(
        "predict.py", artefact, *arguments, cwd=tmp_path, status=2
    )
    assert words in err.splitlines()[-1]


def damage(name, content):
    def spoil(folder):
        (folder / name).write_bytes(content)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "result.json").unlink(), "is missing"),
        (damage("result.json", b"{"), "result.json is damaged"),
        (damage("config.json", b"{}"), "config.json is damaged"),
        (damage("model.keras", b"PK"), "model.keras is damaged"),
        (lambda folder: None, "--format must be one of"),
    ],
)
def test_damaged_runs(run, spoil, words, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(run, folder, ignore=shutil.ignore_patterns("export"))
    spoil(folder)
    format = "torch" if "format" in words else "saved_model"
    _, err = programs.run(
        "export.py", "copy", f"--format={format}", cwd=tmp_path, status=2
    )
    assert words in err.splitlines()[-1]
    assert not (folder / "export").exists()


def test_nothing_is_overwritten(run):
    before = sorted((run / "export").rglob("*"))
    _, err = programs.run("export.py", run, cwd=run, status=2)
    assert "exists already" in err
    assert sorted((run / "export").rglob("*")) == before


def test_a_path_without_the_ending_of_its_format(run, tmp_path):
    _, err = programs.run(
        *("export.py", run, "--format=onnx", "--out=model"),
        cwd=tmp_path,
        status=2,
    )
    assert "--out must end in .onnx for the format 'onnx', got model" in err


def test_what_is_no_artefact(tmp_path):
    _, err = programs.run("predict.py", ".", "x.npy", cwd=tmp_path, status=2)
    assert "is no SavedModel" in err


@pytest.mark.slow
@programs.once("tensorflow")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tflite", b"\xff\xff\xff\x7fTFL3"),
        ("a.onnx", b"\x08\x07\x12\x04text" + bytes(64)),
        ("a.onnx", b""),
    ],
)
def test_hostile_artefacts_end_in_one_line(name, content, tmp_path):
    """The interpreter of some ends the process that reads them."""
    (tmp_path / name).write_bytes(content)
    _, err = programs.run("predict.py", name, "x.npy", cwd=tmp_path, status=2)
    (line,) = err.splitlines()
    assert line.startswith(f"error: ARTEFACT: {name} is no whole model")


@programs.once("tensorflow")
def test_a_pipe_is_no_artefact(tmp_path):
    os.mkfifo(tmp_path / "a.onnx")
    _, err = programs.run(
        "predict.py", "a.onnx", "x.npy", cwd=tmp_path, status=2
    )
    assert "a.onnx is no SavedModel" in err
