"""What this device does in a second, measured and kept beside the runs."""

import dataclasses
import pathlib
import time

import keras
import numpy as np

from keras_lt.data import ImageDataset, ImageFiles
from keras_lt.data.transforms.windows import draw_windows
from keras_lt.devices import on_accelerator
from keras_lt.json_files import read_json, write_json
from keras_lt.methods import METHODS
from keras_lt.problem import Problem
from keras_lt.runs import provenance
from keras_lt.runs.budget import Size, Speed
from keras_lt.runs.folder import RunFolder

STEPS, READ = 4, 64  # that are timed


class Speeds:
    """Speeds of networks on some images; measured once, then read.

    A run that goes on has to plan as before, whatever else the machine does.

    Args:
        folder: Where the file is.
        dataset: The images.
        batch_size: Images of a step.
    """

    def __init__(
        self, folder: pathlib.Path, dataset: ImageDataset, batch_size: int
    ):
        self.file = RunFolder(folder).speed_file
        self.dataset, self.batch_size = dataset, batch_size
        device = provenance.device()
        name = f"{keras.backend.backend()} {device}"
        self.key = f"{name} {dataset.split_sha256[:16]}"

    def of(self, size: Size) -> Speed:
        """Speed at a size."""
        known = read_json(self.file) if self.file.exists() else {}
        name = f"{self.key} {size.backbone} {size.pixels} {self.batch_size}"
        if name not in known:
            found = _measure(self.dataset, size, self.batch_size)
            known[name] = dataclasses.asdict(found)
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.file, known)
        return Speed(**known[name])


def _measure(dataset: ImageDataset, size: Size, batch_size: int) -> Speed:
    shape = (size.pixels, size.pixels, dataset.input_shape[-1])
    problem = Problem(shape, dataset.class_counts)
    recipe = METHODS["ce"](problem, backbone=size.backbone)
    random = np.random.default_rng(0)
    images = random.uniform(0, 255, (batch_size, *shape)).astype("float32")
    labels = random.integers(0, problem.num_classes, batch_size)
    started = time.perf_counter()
    plain = keras.backend.backend() == "tensorflow" and not on_accelerator()
    model = recipe.build()
    model.compile(
        "sgd",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False if plain else "auto",
    )
    model.train_on_batch(images, labels)
    program = time.perf_counter() - started
    model.train_on_batch(images, labels)
    started = time.perf_counter()
    for _ in range(STEPS):
        model.train_on_batch(images, labels)  # its metrics wait for it
    step = (time.perf_counter() - started) / STEPS / batch_size
    return Speed(step, _read(dataset, size), program)


def _read(dataset: ImageDataset, size: Size) -> float:
    """Seconds of one training image on disk."""
    files = dataset.train[0]
    if not isinstance(files, ImageFiles):
        return 0.0
    random = np.random.default_rng(0)
    number = min(READ, len(files))
    index = random.choice(len(files), number, replace=False)
    scale = dataset.source.augment.crop_scale or (1.0, 1.0)
    draws = draw_windows(random, number, scale)
    small = files.at(size.pixels)
    started = time.perf_counter()
    small.read(index, draws)
    return (time.perf_counter() - started) / number
