"""Long-tailed data sets, and batches of them with or without TensorFlow."""

from keras_lt.data.datasets import ImageDataset, load
from keras_lt.data.pipeline.batching import Batching
from keras_lt.data.pipeline.feed import Feed
from keras_lt.data.pipeline.loader import Loader
from keras_lt.data.sources.catalogue import DATASETS
from keras_lt.data.sources.image_files import ImageFiles
from keras_lt.data.sources.long_tail import (
    exponential_counts,
    index_hash,
    long_tail_indices,
    step_counts,
)
from keras_lt.data.sources.source import Images
from keras_lt.data.transforms.augment import Augment
from keras_lt.data.transforms.autoaugment import AutoAugment
from keras_lt.data.transforms.cutmix import CutMix
from keras_lt.data.transforms.cutout import Cutout
from keras_lt.data.transforms.distortions import distort
from keras_lt.data.transforms.mixup import Mixup
from keras_lt.data.transforms.policy import Policy
from keras_lt.data.transforms.randaugment import RandAugment
from keras_lt.data.transforms.transform import Transform
from keras_lt.image_reader import DataError, read_image, whole_of

__all__ = [
    "DATASETS",
    "Augment",
    "AutoAugment",
    "Batching",
    "CutMix",
    "Cutout",
    "DataError",
    "Feed",
    "ImageDataset",
    "ImageFiles",
    "Images",
    "Loader",
    "Mixup",
    "Policy",
    "RandAugment",
    "Transform",
    "distort",
    "exponential_counts",
    "index_hash",
    "load",
    "long_tail_indices",
    "read_image",
    "step_counts",
    "whole_of",
]
