"""From a folder of images to a model, as their owner would."""

import json

import programs
import pytest

SMALL = (
    "--dataset=folder",
    "--data_dir=photos",
    "--image_size=16",
)
EQUAL = ("--test_share=0", "--validation_share=0")
TINY = ("--set=backbone=micro", "--set=width=4", "--set=batch_size=14")


@pytest.fixture
def photos(tmp_path):
    """Photographs, and a file that is none."""
    programs.write_photos(tmp_path / "photos")
    (tmp_path / "photos" / "ant" / "notes.txt").touch()
    return tmp_path


@pytest.mark.slow
@programs.once("tensorflow")
def test_inspect_train_export_and_predict(photos):
    out, _ = programs.run(
        *("inspect_data.py", "--data_dir=photos", *SMALL[2:], *EQUAL),
        cwd=photos,
    )
    assert "train: 42 images, 4 to 28 a class" in out
    assert "test: 6 images, 2 a class" in out
    assert "classes: 3, imbalance ratio 7\n" in out
    assert "the rarest: ant (28), bee (10), cat (4)" in out
    assert "1 files, the first is ant/notes.txt" in out
    assert "unreadable: 0" in out
    assert (photos / "long_tail.png").stat().st_size > 1000

    command = ("train.py", "--method=wb", *SMALL, *EQUAL, *TINY, "--noplots")
    options = ("--set=epochs=(8,2)", "--set=lr=0.05", "--set=l2=5e-4")
    out, _ = programs.run(*command, *options, cwd=photos)
    assert "classes: 3, imbalance ratio 7\n" in out
    assert "42 training images in 3 classes (28 to 4)" in out
    folder = photos / "runs" / "folder-7-wb-seed0"
    result = programs.result(folder)
    assert result["class_names"] == ["ant", "bee", "cat"]
    assert {"macro_f1", "head", "body", "tail"} <= result["accuracy"].keys()
    assert result["unreadable"] == {}
    assert result["image_size"] == 16
    out, _ = programs.run(*command, *options, cwd=photos)
    assert "is complete already" in out
    out, _ = programs.run("evaluate.py", folder, cwd=photos)
    assert out.splitlines()[-1] == "equal"


def spoil(photos):
    """Break a training image; return its name."""
    programs.run(
        *("inspect_data.py", "--data_dir=photos", "--nocheck", "--plot="),
        cwd=photos,
    )
    path = photos / "photos" / "ant" / "9.jpg"
    path.write_bytes(path.read_bytes()[:300])
    return path


@pytest.mark.slow
@programs.once("tensorflow")
def test_unreadable_images_are_skipped_or_fatal(photos):
    path = spoil(photos)
    out, _ = programs.run(
        *("inspect_data.py", "--data_dir=photos", "--plot="), cwd=photos
    )
    assert f"unreadable: {path.relative_to(photos)} cannot be read: " in out
    assert "unreadable: 1" in out
    command = ("train.py", "--method=ce", *SMALL, *EQUAL, *TINY, "--noplots")
    epochs = "--set=epochs=(1,)"
    _, err = programs.run(*command, epochs, cwd=photos, status=2)
    assert "ant/9.jpg cannot be read" in err
    assert err.count("\n") == 1
    out, _ = programs.run(
        *command, epochs, "--unreadable=skip", "--workdir=skipped", cwd=photos
    )
    assert "skipped: photos/ant/9.jpg cannot be read: " in out
    result = programs.result(photos / "skipped")
    assert [*result["unreadable"]] == ["photos/ant/9.jpg"]


@programs.once("tensorflow")
@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--unreadable=ignore", "--unreadable must be error or skip"),
        ("--dataset=photos", "take --dataset=folder --data_dir=photos"),
        ("--image-size=0", "--image_size must be > 0, got 0"),
        ("--test_per_class=0", "--test_per_class must be > 0, got 0"),
        ("--imbalance_ratio=10", "folder has the tail that its images have"),
        ("--data_dir=absent", "must be a folder, got absent"),
        ("--input=device", "for images on disk, got 'device'"),
    ],
)
def test_bad_flags(flag, message, photos):
    command = ("train.py", "--method=ce", *SMALL, *TINY, flag)
    _, err = programs.run(*command, cwd=photos, status=2)
    assert message in err
    assert err.count("\n") == 1


def test_the_speed_of_a_folder_beside_bare_decoding(photos):
    out, _ = programs.run(
        *("benchmark.py", "input", "--dataset=folder", "--data_dir=photos"),
        *("--image_size=16", "--steps=2", "--rounds=1", "--batch_size=8"),
        cwd=photos,
    )
    found = json.loads(out.splitlines()[-1])
    assert {"bare_per_s", "numpy_per_s"} <= found.keys()
    assert found["ratios"]["bare_per_s"] == 1
