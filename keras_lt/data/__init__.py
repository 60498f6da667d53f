"""Long-tailed data sets, and batches of them with or without TensorFlow."""

from keras_lt.data.augment import Augment
from keras_lt.data.datasets import DATASETS, ImageDataset, load
from keras_lt.data.distortions import distort
from keras_lt.data.image_files import ImageFiles
from keras_lt.data.loader import Loader
from keras_lt.data.long_tail import (
    DataError,
    exponential_counts,
    index_hash,
    long_tail_indices,
    step_counts,
)

__all__ = [
    "DATASETS",
    "Augment",
    "DataError",
    "ImageDataset",
    "ImageFiles",
    "Loader",
    "distort",
    "exponential_counts",
    "index_hash",
    "load",
    "long_tail_indices",
    "step_counts",
]
