"""All data sets that `data.load` knows, by name."""

import functools

from keras_lt.data.sources import cifar, digits
from keras_lt.data.sources.arrays import Arrays
from keras_lt.data.sources.folder import read_folder
from keras_lt.data.sources.published import (
    IMAGENET_LT,
    INATURALIST_2018,
    PLACES_LT,
)
from keras_lt.data.sources.source import Options, Source
from keras_lt.data.sources.table import read_csv
from keras_lt.data.transforms.augment import Augment

IMAGENET = {
    "pixel_mean": (0.485, 0.456, 0.406),
    "pixel_std": (0.229, 0.224, 0.225),
    "augment": Augment(
        crop_scale=(0.08, 1.0), flip=True, jitter=(0.4, 0.4, 0.4, 0.0)
    ),
}
INATURALIST = {
    "pixel_mean": (0.466, 0.471, 0.380),
    "pixel_std": (0.195, 0.194, 0.192),
    "augment": Augment(crop_scale=(0.08, 1.0), flip=True),
}
OWN = IMAGENET | {"augment": INATURALIST["augment"], "groups": "thirds"}


def _digits() -> Source:
    def read(options: Options) -> Arrays:
        return Arrays(*digits.read(options.test_per_class))

    return Source(
        read=read,
        splits_test=True,
        family="digits",
        imbalance_ratio=50,
        pixel_mean=(0.3,),
        pixel_std=(0.38,),
        augment=Augment(pad=1, flip=False),
    )


def read_cifar(name: str, largest: int, options: Options) -> Arrays:
    """Read CIFAR, see `cifar.read`.

    Args:
        name: `"cifar10"` or `"cifar100"`.
        largest: See `Arrays`.
        options: Say from where.
    """
    precut = options.subset == "precut"
    arrays = cifar.read(name, options.data_dir, precut=precut)
    return Arrays(*arrays, largest=largest)


def _cifar(name: str, largest: int) -> Source:
    return Source(
        read=functools.partial(read_cifar, name, largest),
        family="cifar",
        imbalance_ratio=100,
        pixel_mean=(0.4914, 0.4822, 0.4465),  # of CIFAR-10, for both
        pixel_std=(0.2023, 0.1994, 0.2010),
        augment=Augment(pad=4, flip=True),
    )


def _on_disk(read, family: str, known: dict) -> Source:
    """A source of a function from `data_dir` to a `Listing`."""
    return Source(
        read=lambda options: read(
            options.data_dir, allow_outside=options.allow_outside
        ),
        family=family,
        **known,
    )


DATASETS = {
    "digits_lt": _digits(),
    "cifar10_lt": _cifar("cifar10", 5000),
    "cifar100_lt": _cifar("cifar100", 500),
    "imagenet_lt": _on_disk(IMAGENET_LT.read, "imagenet_lt", IMAGENET),
    "places_lt": _on_disk(PLACES_LT.read, "places_lt", IMAGENET),
    "inaturalist2018": _on_disk(
        INATURALIST_2018.read, "inaturalist2018", INATURALIST
    ),
    "folder": _on_disk(read_folder, "folder", OWN),
    "csv": _on_disk(read_csv, "folder", OWN),
}
