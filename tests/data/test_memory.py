"""Images lie in memory once, from their file to the running stream."""

import os
import subprocess
import sys

import programs
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.access("/proc/self/clear_refs", os.W_OK),
        reason="the system does not tell the peak of memory",
    ),
]

# Prints by how much the most memory that was in use grows, in images.
MEASURE = """

def status(name):
    with open("/proc/self/status") as lines:
        (line,) = [line for line in lines if line.startswith(name + ":")]
    return 1024 * int(line.split()[1])


use(1000, AUGMENTS[-1])
for augment in AUGMENTS:
    before = status("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # forget the peak
    size = use(30_000, augment)
    print((status("VmHWM") - before) / size)
"""
STREAM = """
import keras
import numpy as np

from keras_lt.data import Augment, Batching, Loader

AUGMENTS = Augment(), Augment(pad=4, flip=True)
BATCHING = Batching(batch_size=100, drop_remainder=True)


def use(images, augment):
    pixels = np.ones((images, 32, 32, 3), "uint8")
    labels = np.zeros(images, "int64")
    held_out = pixels[: images // 4], labels[: images // 4]
    loader = Loader((pixels, labels), validation=held_out, augment=augment)
    batches, validation = loader.train(BATCHING, 0), loader.validate(BATCHING)
    if keras.backend.backend() == "jax":
        streams = [map(batches.__getitem__, range(20))]
    else:
        streams = [batches.take(20), validation]
    for stream in streams:
        for batch in stream:
            assert len(batch) == 2
    return pixels.nbytes
"""
READ = """
import pathlib

from keras_lt.data.sources import cifar

AUGMENTS = (None,)


def use(images, augment):
    for name in ("train.bin", "test.bin"):
        with open(name, "wb") as file:
            file.truncate((cifar.IMAGE_BYTES + 2) * images)
    cifar.ARCHIVES["cifar100"].test["test.bin"] = images
    names = "".join(f"class{number}\\n" for number in range(100))
    pathlib.Path("fine_label_names.txt").write_text(names)
    x, _, x_test, *_ = cifar.read("cifar100", ".", precut=True)
    assert len(x) == len(x_test) == images
    return x.nbytes + x_test.nbytes
"""


def growth(program):
    done = subprocess.run(
        [sys.executable, "-c", program + MEASURE],
        env=programs.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [float(line) for line in done.stdout.split()]


@programs.once("jax")
def test_a_stream_takes_no_second_copy():
    for found in growth(STREAM):
        assert 1 <= found <= 1.3


@programs.once("jax")
def test_reading_takes_no_second_copy():
    (found,) = growth(READ)
    assert 1 <= found <= 1.3
