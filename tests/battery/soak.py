"""Many steps: memory, handles and threads stay what they are."""

import dataclasses
import os
import pathlib
import threading

import keras
from battery import small

STEPS_OF_AN_EPOCH = 16  # 32 images, two a step


class Watch(keras.callbacks.Callback):
    """Note what the process holds, at the end of some epochs."""

    def __init__(self, every):
        super().__init__()
        self.every, self.seen = every, []

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
            self.seen.append(
                (
                    int(pages) * os.sysconf("SC_PAGE_SIZE"),
                    len(os.listdir("/proc/self/fd")),
                    threading.active_count(),
                )
            )


def soak(folder, steps):
    """Train for many fused steps.

    Returns:
        Bytes by which a step makes the process grow, in the second half; and
        what handles and threads it has gained there.
    """
    epochs = steps // STEPS_OF_AN_EPOCH
    plain = small.recipe()
    stage = dataclasses.replace(
        plain.stages[0],
        epochs=epochs,
        batch_size=2,
        optimizer=lambda steps: keras.optimizers.SGD(0.001),
    )
    watch = Watch(max(epochs // 10, 1))
    small.train(
        folder,
        "device",
        STEPS_OF_AN_EPOCH,
        recipe=dataclasses.replace(plain, stages=(stage,)),
        act=watch,
        stage="one",
        checkpoint_seconds=5.0,
    )
    half = watch.seen[len(watch.seen) // 2 :]
    first, last = half[0], half[-1]
    passed = watch.every * STEPS_OF_AN_EPOCH * (len(half) - 1)
    return (
        (last[0] - first[0]) / passed,
        last[1] - first[1],
        last[2] - first[2],
    )
