"""Two sets of images with a natural tail, as folders of one's own images."""

import importlib.util
import pathlib
import shutil
from collections.abc import Iterable

import numpy as np
from PIL import Image

NAMES = {"elpv": "Solar cells", "zipf": "CIFAR-100, natural tail"}
LARGEST, RATIO = 500, 25  # images of the largest class; over the smallest
SIZE = (64, 64)  # of solar cells, of 300 x 300 pixels, which are slow to read
TEST = 0.2  # share of each class of solar cells


def zipf_counts(classes: int) -> np.ndarray:
    """Images of each class by its rank, `(C,)`: a power of the rank.

    Example:
        >>> zipf_counts(100)[[0, 1, 9, 99]].tolist()
        [500, 308, 100, 20]
    """
    ranks = np.arange(1, classes + 1)
    power = np.log(RATIO) / np.log(classes)
    return np.rint(LARGEST / ranks**power).astype(int)


def write(data_dir: pathlib.Path) -> None:
    """Write `elpv` and `zipf` into a folder, where they are missing.

    Args:
        data_dir: It has CIFAR-100; the images of solar cells come from the
            package `elpv-dataset`, where that is installed.
    """
    for name, images in (("zipf", _cifar), ("elpv", _solar_cells)):
        folder = data_dir / name
        if folder.exists():
            continue
        part = data_dir / f"{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        for path, image in images(data_dir):
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            image.save(part / path)
        if part.exists():
            part.rename(folder)
            print(f"{folder} written", flush=True)


Images = Iterable[tuple[str, Image.Image]]


def _cifar(data_dir: pathlib.Path) -> Images:
    """Classes in the order of a fixed shuffle; the test images are all."""
    from keras_lt.data import load  # which imports Keras

    dataset = load("cifar100_lt", data_dir=str(data_dir), imbalance_ratio=1)
    names = dataset.class_names
    order = np.random.default_rng(0).permutation(len(names))
    counts = zipf_counts(len(names))[np.argsort(order)]
    seen = np.zeros_like(counts)
    for split, (pixels, labels) in (
        ("train", dataset.train),
        ("test", dataset.test),
    ):
        for number, (image, label) in enumerate(
            zip(pixels, labels, strict=True)
        ):
            seen[label] += split == "train"
            if split == "test" or seen[label] <= counts[label]:
                path = f"{split}/{names[label]}/{number:05}.png"
                yield path, Image.fromarray(np.asarray(image))


def _solar_cells(data_dir: pathlib.Path) -> Images:
    """Kind and damage as classes; a fifth of each, drawn once, is for tests."""
    found = importlib.util.find_spec("elpv_dataset")
    if found is None or not found.submodule_search_locations:
        print("elpv: left out, as elpv-dataset is not installed", flush=True)
        return
    data = pathlib.Path(found.submodule_search_locations[0]) / "data"
    lines = [x.split() for x in (data / "labels.csv").read_text().splitlines()]
    shuffled = np.random.default_rng(0).permutation(len(lines))
    classes: dict[str, list[str]] = {}
    for path, damage, kind in (lines[i] for i in shuffled):
        classes.setdefault(f"{kind}-{float(damage):.2f}", []).append(path)
    for name, paths in classes.items():
        held_out = round(TEST * len(paths))
        for number, path in enumerate(paths):
            split = "test" if number < held_out else "train"
            image = Image.open(data / path).resize(SIZE, Image.Resampling.BOX)
            yield f"{split}/{name}/{pathlib.Path(path).name}", image
