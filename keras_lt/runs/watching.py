"""Callbacks that watch a run; none of them changes it."""

import itertools
from collections.abc import Sequence

import keras

from keras_lt import training
from keras_lt.data import ImageDataset
from keras_lt.devices import is_chief
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.looks import TestAccuracy
from keras_lt.runs.manner import Manner
from keras_lt.runs.trackers import Track, Tracker


def watchers(
    stage: training.Stage,
    *,
    recipe: training.Recipe,
    dataset: ImageDataset,
    folder: RunFolder,
    manner: Manner,
    trackers: Sequence[Tracker],
) -> list[keras.callbacks.Callback]:
    """Callbacks for a stage.

    Args:
        stage: Which begins.
        recipe: Whose stage it is.
        dataset: With the test images.
        folder: Of the run.
        manner: What is asked for.
        trackers: Where metrics go as well.
    """
    found: list[keras.callbacks.Callback] = []
    if every := manner.test_freq:
        found.append(TestAccuracy(recipe.serve, *dataset.test, every))
    if manner.tensorboard and is_chief():
        log_dir = folder.tensorboard(stage.name)
        found.append(keras.callbacks.TensorBoard(log_dir))
    before = itertools.takewhile(lambda s: s is not stage, recipe.stages)
    first = sum(other.epochs for other in before)
    return [*found, *(Track(tracker, first) for tracker in trackers)]
