"""How fast batches come, and draws."""

import concurrent.futures
import dataclasses
import importlib.util
import itertools
import os
import tracemalloc

import numpy as np

from keras_lt import data, methods, samplers
from keras_lt.problem import Problem
from keras_lt.runs.timing import medians

IMAGES, CLASSES = 437_513, 8_142  # of iNaturalist 2018


def measure_input(flags) -> dict:
    """Images a second of training batches, by input path."""
    batch = flags.batch_size or 128
    if flags.dataset:
        return _from_disk(flags, batch)
    published = data.DATASETS["cifar100_lt"].augment
    pixels = np.random.default_rng(0).integers(
        0, 256, (10_000, 32, 32, 3), "uint8"
    )
    labels = np.arange(10_000) % 100
    problem = Problem((32, 32, 3), (100,) * 100)
    recipe = methods.METHODS["ssd"](problem)
    turned = dataclasses.replace(published, rotation=15.0)
    second_view = dataclasses.replace(published, **recipe.second_view)
    policies = {
        "autoaugment_cutout": (data.AutoAugment(), data.Cutout(16)),
        "randaugment": (data.RandAugment(2, 10),),
    }
    views = {
        "crop_flip": (published, False),
        "crop_flip_rotate": (turned, False),
        "two_views": (published, True),
    } | {
        name: (dataclasses.replace(published, policies=chosen), False)
        for name, chosen in policies.items()
    }
    contenders = {}
    for kind in _kinds("numpy", "tf.data"):
        for name, (augment, two) in views.items():
            loader = data.Loader(
                (pixels, labels),
                augment=augment,
                second_view=second_view,
                kind=kind,
            )
            batching = data.Batching(batch_size=batch, two_views=two)
            contenders[f"{kind}_{name}"] = _steps(loader, batching, flags.steps)
    found = medians(contenders, flags.rounds)
    images = flags.steps * batch
    return {f"{k}_per_s": images / v for k, v in found.items()}


def _from_disk(flags, batch):
    """Beside random crops and flips: the same files, decoded and resized."""
    size = flags.image_size or 224
    dataset = data.load(flags.dataset, data_dir=flags.data_dir, image_size=size)
    files, labels = dataset.train
    batching = data.Batching(batch_size=min(batch, len(labels)))
    images = flags.steps * batching.batch_size
    positions = np.random.default_rng(0).integers(0, len(files), images)
    paths = [files.path(position) for position in positions]
    pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
    contenders = {
        "bare": lambda: [*pool.map(lambda path: _decode(path, size), paths)]
    }
    for kind in _kinds("numpy", "grain", "tf.data"):
        loader = data.Loader(
            (files, labels), augment=dataset.source.augment, kind=kind
        )
        contenders[kind] = _steps(loader, batching, flags.steps)
    found = medians(contenders, flags.rounds)
    return {f"{k}_per_s": images / v for k, v in found.items()}


def _decode(path, size):
    from PIL import Image

    with Image.open(path) as image:
        bilinear = Image.Resampling.BILINEAR
        return np.asarray(image.convert("RGB").resize((size, size), bilinear))


def _steps(loader, batching, number):
    """Function that takes batches of an endless stream."""
    batches = loader.train(batching, seed=0)
    if loader.kind == "numpy":
        batches = map(batches.__getitem__, itertools.count())
    stream = iter(batches)
    return lambda: [next(stream) for _ in range(number)]


def _kinds(*kinds):
    """Those whose package is installed."""
    packages = {"tf.data": "tensorflow"}
    return [k for k in kinds if importlib.util.find_spec(packages.get(k, k))]


def measure_sampler(flags) -> dict:
    """Draws a second of each sampler at the size of iNaturalist 2018."""
    counts = np.geomspace(1000, 2, CLASSES)
    counts = np.maximum(counts * (IMAGES / counts.sum()), 1).astype(int)
    counts[0] += IMAGES - counts.sum()
    labels = np.repeat(np.arange(CLASSES), counts)
    made = {name: make(90) for name, make in samplers.SAMPLERS.items()}
    contenders = {
        name: lambda draw=draw: draw(labels, seed=0, epoch=1)
        for name, draw in made.items()
    }
    found = medians(contenders, flags.rounds)
    result = {f"{k}_per_s": len(labels) / v for k, v in found.items()}
    for name, run in contenders.items():
        tracemalloc.start()
        run()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        result[f"{name}_bytes_per_image"] = peak / len(labels)
    return result
