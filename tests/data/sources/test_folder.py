"""Folders and tables of the user's own images, good and bad."""

import os
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_lt.data import DataError, load

COUNTS = {"ant": 9, "bee": 6, "cat": 3}


def image(path, value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (10, 10), (value,) * 3).save(path)


def classes(folder, counts=COUNTS):
    for name, count in counts.items():
        for i in range(count):
            image(folder / name / f"{i}.png", i)
    return folder


def table(folder, text, encoding="utf-8"):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        image(folder / name)
    (folder / "table.csv").write_text(text, encoding)
    return folder / "table.csv"


ROWS = "a/1.png,ant\na/2.png,ant\nb/1.png,bee\nb/2.png,bee\n"


def counts(dataset):
    return {
        split: np.bincount(part[1], minlength=len(dataset.class_names)).tolist()
        for split in ("train", "validation", "test")
        if (part := getattr(dataset, split))
    }


def names(split):
    return {os.fsdecode(name) for name in split[0].names.tolist()}


def folder(path, **options):
    return load("folder", data_dir=str(path), image_size=8, **options)


def test_a_test_split_in_proportion(tmp_path):
    classes(tmp_path, {"ant": 31, "bee": 8, "cat": 3, "dog": 2})
    dataset = folder(tmp_path)
    assert counts(dataset) == {"train": [25, 6, 2, 1], "test": [6, 2, 1, 1]}
    dataset = folder(tmp_path, test_share=0.5, validation_share=0.2)
    assert counts(dataset) == {
        **{"train": [13, 3, 2, 1], "validation": [3, 1, 0, 0]},
        "test": [15, 4, 1, 1],
    }


def test_as_many_test_images_of_every_class(tmp_path):
    classes(tmp_path)
    dataset = folder(tmp_path, test_share=0.0)
    assert dataset.class_names == ("ant", "bee", "cat")
    assert counts(dataset) == {"train": [8, 5, 2], "test": [1, 1, 1]}
    assert dataset.class_counts == (8, 5, 2)
    assert dataset.input_shape == (8, 8, 3)
    both = names(dataset.train) | names(dataset.test)
    assert len(both) == 18 and "bee/0.png" in both
    again = folder(tmp_path, test_share=0.0)
    assert names(again.test) == names(dataset.test)
    assert again.split_sha256 == dataset.split_sha256

    dataset = folder(tmp_path, test_per_class=2)
    assert counts(dataset)["test"] == [2, 2, 2]
    assert dataset.split_sha256 != again.split_sha256
    dataset = folder(tmp_path, validation_per_class=1, test_share=0.0)
    assert counts(dataset) == {
        **{"train": [7, 4, 1], "validation": [1, 1, 1], "test": [1, 1, 1]}
    }


def test_classes_that_are_too_small(tmp_path):
    classes(tmp_path, {"ant": 5, "bee": 1, "cat": 4, "dog": 1})
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError) as caught:
        folder(tmp_path)
    for part in (
        "1 class without a training image ('empty')",
        "2 classes with a single image",
        "('bee', 'dog')",
        "--small_classes=drop",
    ):
        assert part in str(caught.value)
    dataset = folder(tmp_path, small_classes="drop")
    assert dataset.class_names == ("ant", "cat")
    assert counts(dataset) == {"train": [3, 2], "test": [2, 2]}
    dataset = folder(tmp_path, small_classes="train_only")
    assert dataset.class_names == ("ant", "bee", "cat", "dog")
    assert counts(dataset) == {"train": [3, 1, 2, 1], "test": [2, 0, 2, 0]}
    assert names(dataset.train) >= {"bee/0.png", "dog/0.png"}
    with pytest.raises(ValueError, match="`small_classes` must be one of"):
        folder(tmp_path, small_classes="merge")


def test_single_images_are_enough_beside_a_test_split(tmp_path):
    classes(tmp_path / "train", {"ant": 3, "bee": 1})
    classes(tmp_path / "test", {"ant": 1, "bee": 1})
    assert counts(folder(tmp_path))["train"] == [3, 1]
    (tmp_path / "train" / "cat").mkdir()
    image(tmp_path / "test" / "cat" / "0.png")
    dataset = folder(tmp_path, small_classes="drop")
    assert counts(dataset) == {"train": [3, 1], "test": [1, 1]}


def test_folders_that_archives_leave(tmp_path):
    classes(tmp_path)
    image(tmp_path / "__MACOSX" / "ant" / "0.png")
    image(tmp_path / ".thumbnails" / "0.png")
    dataset = folder(tmp_path)
    assert dataset.class_names == ("ant", "bee", "cat")
    assert dataset.ignored == (".thumbnails/", "__MACOSX/")


def test_a_share_of_each_class_is_held_out(tmp_path):
    classes(tmp_path, {"ant": 16, "bee": 5, "cat": 3})
    dataset = folder(tmp_path, validation_share=0.2)
    expected = {"train": [10, 2, 2], "validation": [3, 1, 0]}
    assert counts(dataset) == expected | {"test": [3, 2, 1]}
    own = tmp_path / "own"
    for part, sizes in (("train", {"ant": 9, "cat": 3}), ("val", {"ant": 2})):
        classes(own / part, sizes)
    classes(own / "test", {"cat": 1})
    dataset = folder(own, validation_share=0.2)
    expected = {"train": [9, 3], "validation": [2, 0], "test": [0, 1]}
    assert counts(dataset) == expected
    few = classes(tmp_path / "few", {"ant": 2, "bee": 2})
    dataset = folder(few, validation_share=0.2, skip_unreadable=True)
    assert counts(dataset) == {"train": [1, 1], "test": [1, 1]}
    with pytest.raises(ValueError, match="`validation_share` is for images on"):
        load("digits_lt", validation_share=0.2)


def test_splits_that_are_there_are_taken(tmp_path):
    classes(tmp_path / "train")
    classes(tmp_path / "val", {"ant": 2, "cat": 1})
    dataset = folder(tmp_path)
    assert counts(dataset) == {"train": [9, 6, 3], "test": [2, 0, 1]}
    assert names(dataset.test) >= {"val/ant/0.png"}
    classes(tmp_path / "test", {"bee": 2})
    expected = {"train": [9, 6, 3], "validation": [2, 0, 1], "test": [0, 2, 0]}
    assert counts(folder(tmp_path)) == expected


def test_images_at_any_depth_and_nothing_else(tmp_path):
    classes(tmp_path)
    image(tmp_path / "ant" / "2021" / "may" / "X.PNG")
    (tmp_path / "ant" / "notes.txt").touch()
    (tmp_path / "README.md").touch()
    (tmp_path / "bee" / ".DS_Store").touch()
    dataset = folder(tmp_path)
    assert "ant/2021/may/X.PNG" in names(dataset.train) | names(dataset.test)
    assert dataset.ignored == ("README.md", "ant/notes.txt")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_table(ending, tmp_path):
    path = table(tmp_path, "\ufefflabel,path\n")
    rows = [line.split(",")[::-1] for line in ROWS.splitlines()]
    text = "".join(",".join(row) + ending for row in rows)
    path.write_bytes(("\ufefflabel,path" + ending + text).encode())
    dataset = load("csv", data_dir=str(path), image_size=8)
    assert dataset.class_names == ("ant", "bee")
    assert counts(dataset) == {"train": [1, 1], "test": [1, 1]}
    assert dataset.train[0][:].shape == (2, 8, 8, 3)


def test_a_table_with_splits_and_numbers(tmp_path):
    rows = ["a/1.png,2,train", "a/2.png,2,test", "b/1.png,10,", "b/2.png,2,val"]
    path = table(tmp_path, "path,label,split\n" + "\n".join(rows))
    dataset = load("csv", data_dir=str(path), image_size=8)
    assert dataset.class_names == ("2", "10")  # in the order of numbers
    expected = {"train": [1, 1], "validation": [1, 0], "test": [1, 0]}
    assert counts(dataset) == expected


def no_folder(path):
    return path / "absent"


def a_file(path):
    (path / "file").touch()
    return path / "file"


def empty(path):
    return path


def one_class(path):
    return classes(path, {"ant": 3})


def empty_class(path):
    (classes(path) / "dog").mkdir()
    return path


def class_of_texts(path):
    (classes(path) / "dog").mkdir()
    (path / "dog" / "a.txt").touch()
    return path


def single_image(path):
    return classes(path, {"ant": 3, "bee": 1})


def no_train(path):
    classes(path / "test")
    return path


def class_beside_train(path):
    classes(path / "train")
    return classes(path, {"dog": 1})


def two_validations(path):
    for name in ("train", "val", "validation"):
        classes(path / name)
    return path


def new_class_in_test(path):
    classes(path / "train")
    classes(path / "test", {"dog": 1})
    return path


def no_utf8(path):
    image(classes(path) / "ant" / "x.png")
    os.rename(path / "ant" / "x.png", os.fsencode(path) + b"/ant/\xff.png")
    return path


FOLDERS = [
    (no_folder, "must be a folder, got .*absent"),
    (a_file, "must be a folder, got .*file"),
    (empty, r"must hold two classes or more, found \[\]"),
    (one_class, r"must hold two classes or more, found \['ant'\]"),
    (empty_class, r"1 class without a training image \('dog'\)"),
    (class_of_texts, "without a training image .'dog'"),
    (single_image, "1 class with a single image.*kept for testing .'bee'"),
    (no_train, r"holds \['test'\], but no train"),
    (class_beside_train, "may hold val and test only, found dog"),
    (two_validations, "holds both val and validation"),
    (new_class_in_test, "dog is a class that .*train does not hold"),
    (no_utf8, r"the name b'ant/\\xff.png' is not UTF-8; rename it"),
]


@pytest.mark.parametrize(("make", "message"), FOLDERS)
def test_bad_folders(make, message, tmp_path):
    with pytest.raises(DataError, match=message) as caught:
        folder(make(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    classes(tmp_path)
    scan = os.scandir

    def refuse(path):
        if pathlib.Path(path).name == "bee":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="bee cannot be read: .*Permission"):
        folder(tmp_path)


TABLES = [
    ("", r"must name the columns path and label, found \[\]"),
    (ROWS, r"must name the columns path and label, found \['a/1.png', 'ant'\]"),
    ("path,label\n", "lists no training image"),
    ("path,label\na/1.png\n", "line 2 of .*table.csv must have 2 values"),
    ("path,label\na/1.png,a,b\n", "line 2 of .*table.csv must have 2 values"),
    ("path,label\n,ant\n", "line 2 of .* lacks its path or label"),
    ("path,label\na/1.png,\n", "line 2 of .* lacks its path or label"),
    ("path,label,split\na/1.png,a,dev\n", "line 2 .*one of .*, got 'dev'"),
    (
        f"path,label\n{ROWS}c.png,ant\n",
        "1 of 5 listed images .*first is .*c.png",
    ),
    (f"path,label\n{ROWS}a/1.png,bee\n", "1 images are listed .*a/1.png"),
    (f"path,label\n{ROWS}./a/1.png,bee\n", "1 images are listed .*a/1.png"),
    ("path,label\na/1.png,ant\na/2.png,ant\n", "two classes or more"),
    (
        "path,label,split\na/1.png,ant,train\na/2.png,bee,test\n",
        "1 class without a training image .'bee'",
    ),
    ('path,label\n"a/1.png,ant\n', "cannot be read: unexpected end of data"),
]


@pytest.mark.parametrize(("text", "message"), TABLES)
def test_bad_tables(text, message, tmp_path):
    path = table(tmp_path, text)
    with pytest.raises(DataError, match=message) as caught:
        load("csv", data_dir=str(path))
    assert "\n" not in str(caught.value)


def test_tables_that_cannot_be_read(tmp_path):
    path = table(tmp_path, "path,label\na/1.png,caf\xe9\n", "latin-1")
    with pytest.raises(DataError, match="table.csv is not UTF-8"):
        load("csv", data_dir=str(path))
    for missing in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            load("csv", data_dir=str(missing))


def test_their_tail_is_their_own(tmp_path):
    classes(tmp_path)
    for option in ({"imbalance_ratio": 5}, {"subset": "first"}):
        with pytest.raises(ValueError, match="cut a balanced data set; folder"):
            folder(tmp_path, **option)
    with pytest.raises(DataError, match="must be below the 3 images of class"):
        folder(tmp_path, test_per_class=3)
    shutil.rmtree(tmp_path / "ant")
    assert folder(tmp_path).class_names == ("bee", "cat")
