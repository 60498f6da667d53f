"""Images lie in memory once, from the array to the running stream."""

import os
import subprocess
import sys

import keras
import programs
import pytest

# Prints by how much the most memory that was in use has grown, in images.
PROGRAM = """
import types

import keras
import numpy as np

from keras_lt.data import Augment, Loader
from keras_lt.samplers import InstanceBalanced

STAGE = types.SimpleNamespace(
    sampler=InstanceBalanced(),
    batch_size=100,
    drop_remainder=True,
    two_views=False,
)


def status(name):
    with open("/proc/self/status") as lines:
        (line,) = [line for line in lines if line.startswith(name + ":")]
    return 1024 * int(line.split()[1])


def use(images):
    pixels = np.ones((images, 32, 32, 3), "uint8")
    labels = np.zeros(images, "int64")
    held_out = pixels[: images // 4], labels[: images // 4]
    loader = Loader((pixels, labels), validation=held_out, augment=AUGMENT)
    batches, validation = loader.train(STAGE, 0), loader.validate(STAGE)
    if keras.backend.backend() == "jax":
        streams = [map(batches.__getitem__, range(20))]
    else:
        streams = [batches.take(20), validation]
    for stream in streams:
        for batch in stream:
            assert len(batch) == 2
    return pixels.nbytes


AUGMENT = {augment}
use(1000)
before = status("VmRSS")
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # forget the peak
size = use(30_000)
print((status("VmHWM") - before) / size)
"""


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK),
    reason="the system does not tell the peak of memory",
)
@pytest.mark.parametrize("augment", ["Augment()", "Augment(pad=4, flip=True)"])
def test_no_second_copy_of_the_images(augment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{augment}", augment)],
        env=programs.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 1 <= float(done.stdout) <= 1.3, keras.backend.backend()
