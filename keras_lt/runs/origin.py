"""What is known of the images that a network was trained on elsewhere."""

import dataclasses

from keras_lt import data
from keras_lt.data.sources.source import Source
from keras_lt.models.large_resnets import VARIANTS
from keras_lt.models.released import ReleasedNetwork
from keras_lt.runs.known_data import IMAGE_SIZE
from keras_lt.runs.options import DataOptions

BY_CLASSES = "auto"  # in place of a data set's name
CLASSES = {
    "cifar10_lt": 10,
    "cifar100_lt": 100,
    "imagenet_lt": 1000,
    "places_lt": 365,
    "inaturalist2018": 8142,
}
PIXELS = 32  # of a side, in CIFAR
LARGEST = {"cifar10_lt": 5000, "cifar100_lt": 500}  # images of a class
PROFILES = {
    "exponential": data.exponential_counts,
    "step": data.step_counts,
}


@dataclasses.dataclass(frozen=True)
class Origin:
    """What is known of the images.

    Args:
        images: Which ones.
        source: Has their statistics.
        shape: Of an image.
        counts: Training images per class; None if they are not known.
        class_names: Numbers, if they are not known.
        split_sha256: See `data.ImageDataset`; None if they were not read.
    """

    images: DataOptions
    source: Source
    shape: tuple[int, int, int]
    counts: tuple[int, ...] | None
    class_names: tuple[str, ...]
    split_sha256: str | None = None

    @property
    def on_disk(self) -> bool:
        """Whether the images are files."""
        return self.source.imbalance_ratio is None


def find_origin(
    images: DataOptions,
    class_counts: tuple[int, ...] | None,
    network: ReleasedNetwork,
) -> Origin:
    """Find out about the images, which are read if it is said where they are.

    Args:
        images: Which ones; "auto" for the name of a data set is the one with
            as many classes.
        class_counts: Training images per class, of images that are not read.
        network: That was trained.

    Raises:
        ValueError: if the data set is unknown, or has other classes.
    """
    if class_counts and images.data_dir:
        raise ValueError("--class_counts and --data_dir exclude each other")
    name = images.dataset
    if name == BY_CLASSES:
        name = _with_as_many_classes(network)
    if name not in data.DATASETS:
        raise ValueError(
            f"--dataset must be one of {[*data.DATASETS]} for a "
            f"{network.backbone} of {network.num_classes} classes, got "
            f"{images.dataset!r}"
        )
    source = data.DATASETS[name]
    images = dataclasses.replace(images, dataset=name)
    if images.data_dir or name == "digits_lt":  # which comes with a package
        found = _read(images, source)
    else:
        counts = class_counts or _published(images, source)
        on_disk = images.image_size or IMAGE_SIZE
        size = PIXELS if source.imbalance_ratio else on_disk
        shape = (size, size, len(source.pixel_mean))
        classes = CLASSES.get(name, network.num_classes)
        names = (*map(str, range(len(counts) if counts else classes)),)
        images = _with_ratio(images, source, counts)
        found = Origin(images, source, shape, counts, names)
    if len(found.class_names) != network.num_classes:
        flag = "--class_counts" if class_counts else "--dataset"
        raise ValueError(
            f"{flag} must be of the {network.num_classes} classes of the "
            f"file, got {len(found.class_names)}"
        )
    return found


def _with_as_many_classes(network):
    """Name of the published data set that a network is for, or ""."""
    small = network.backbone not in VARIANTS
    for name, classes in CLASSES.items():
        if classes == network.num_classes and small == (name in LARGEST):
            return name
    return ""


def _read(images, source):
    dataset = images.load()
    return Origin(
        _with_ratio(images, source, dataset.class_counts),
        source,
        dataset.input_shape,
        dataset.class_counts,
        dataset.class_names,
        dataset.split_sha256,
    )


def _published(images, source):
    """Counts of a data set that is cut to a long tail, as a formula has it."""
    if images.dataset not in LARGEST or images.profile not in PROFILES:
        return None
    profile = PROFILES[images.profile]
    ratio = images.imbalance_ratio or source.imbalance_ratio
    return profile(CLASSES[images.dataset], LARGEST[images.dataset], ratio)


def _with_ratio(images, source, counts):
    ratio = images.imbalance_ratio or source.imbalance_ratio
    if ratio is None and counts:
        ratio = max(counts) / min(counts)
    return dataclasses.replace(images, imbalance_ratio=ratio)
