"""Rules from images and minutes to a network, its images and its epochs.

Pure functions: what the device does in a second is an argument. All of it is
ours, for images of one's own; published recipes are for 100 to 200 epochs on a
GPU.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MINUTES = 20.0
PUBLISHED = "published"
USABLE = 0.75  # of the minutes; others use the device as well
ENOUGH = 40  # epochs before a larger network is worth it
FORWARD = 1 / 3  # of the time of a step
UPDATES = 50  # of an epoch, where the batch allows it
BATCHES = (16, 128)  # smallest and largest
# Estimates of the time of an epoch, in those of cross entropy, and of the
# programs that are compiled.
COSTS = {
    "auto": 1.3,
    "reslt": 1.3,
    "ride": 2.5,
    "record": 2.5,
    "shike": 2.5,
    "ssd": 3.0,
}
PROGRAMS = {"auto": 15, "mislas": 2, "record": 3, "ride": 3, "ssd": 4}
# Methods on an encoder that was trained before, which stays as it is, and how
# many of their first numbers of epochs are on kept features: next to no time.
ON_FEATURES = {"adapt": 1}


@dataclasses.dataclass(frozen=True, order=True)
class Size:
    """A network with the size of its images.

    Args:
        macs: Multiply-accumulate operations of an image, millions.
        backbone: Name of the network.
        pixels: Of a side of its images.
    """

    macs: float
    backbone: str
    pixels: int


LADDER = (
    Size(12.4, "resnet8", 32),
    Size(49.5, "resnet8", 64),
    Size(163.7, "resnet20", 64),
    Size(291.3, "resnet10", 128),
    Size(892.2, "resnet10", 224),
    Size(4109.0, "resnet50", 224),
)


@dataclasses.dataclass(frozen=True)
class Work:
    """What there is to do in an epoch.

    Args:
        images: That are trained on.
        validation: Images that are validated on.
        method: Its name.
        runs: That train side by side.
    """

    images: int
    validation: int
    method: str
    runs: int = 1


@dataclasses.dataclass(frozen=True)
class Speed:
    """What a device does, measured.

    Args:
        step: Seconds of a training step, for an image of it.
        read: Seconds until an image is read; 0 in memory.
        program: Seconds until the first step of a stage.
    """

    step: float
    read: float
    program: float


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run does in its time.

    Args:
        size: Network and images.
        epochs: Of all stages.
        batch_size: Images of an update.
        seconds: That it takes, as far as is known.
        minutes: That it may take.
    """

    size: Size
    epochs: int
    batch_size: int
    seconds: float
    minutes: float


def candidates(
    backbone: str | None = None, pixels: int | None = None
) -> tuple[Size, ...]:
    """Sizes to choose from, the smallest first.

    Args:
        backbone: The only network, if it is chosen already.
        pixels: The only size of images, if so.
    """
    nets = {size.backbone: size for size in LADDER}
    if backbone is not None:
        known = nets.get(backbone, LADDER[-1])
        nets = {backbone: dataclasses.replace(known, backbone=backbone)}
    if backbone is None and pixels is None:
        return LADDER
    sides = {
        size.pixels for size in LADDER if backbone in (None, size.backbone)
    }
    sides = {pixels} if pixels else sides or {LADDER[-1].pixels}
    return tuple(
        sorted(
            Size(net.macs * (side / net.pixels) ** 2, name, side)
            for name, net in nets.items()
            for side in sides
        )
    )


def epoch_seconds(work: Work, speed: Speed) -> float:
    """Seconds of an epoch with its validation."""
    cost = COSTS.get(work.method, 1.0) * speed.step * work.runs
    return work.images * (cost + speed.read) + work.validation * (
        FORWARD * cost + speed.read
    )


def affordable(work: Work, speed: Speed, minutes: float) -> int:
    """Epochs for which there is time, at least one."""
    stages = PROGRAMS.get(work.method, 2)
    left = 60 * minutes * USABLE - stages * speed.program
    return max(int(left / epoch_seconds(work, speed)), 1)


def largest(
    sizes: Sequence[Size],
    work: Work,
    minutes: float,
    speed_of: Callable[[Size], Speed],
) -> Size:
    """The largest size with time for enough epochs; else the smallest.

    Args:
        sizes: To choose from, the smallest first.
        work: To do.
        minutes: To do it in.
        speed_of: What is expected of a size.
    """
    fitting = [
        size
        for size in sizes
        if affordable(work, speed_of(size), minutes) >= ENOUGH
    ]
    return max(fitting, default=sizes[0])


def epochs_within(
    work: Work, speed: Speed, minutes: float, published: int
) -> int:
    """Epochs of a run: what there is time for, up to the published number."""
    return min(affordable(work, speed, minutes), published)


def batch_size(images: int) -> int:
    """Images of an update: a power of two that leaves some updates an epoch.

    Example:
        >>> batch_size(300), batch_size(1920), batch_size(20_000)
        (16, 32, 128)
    """
    power = 2 ** round(math.log2(max(images / UPDATES, 1)))
    return min(max(power, BATCHES[0]), BATCHES[1])


def settings(
    size: Size,
    batch_size: int,
    published: Mapping[str, Any],
    chosen: Mapping[str, Any],
) -> dict[str, Any]:
    """Hyperparameters that a plan sets, in place of published ones.

    Rates follow the batch in proportion.

    Args:
        size: Network and images.
        batch_size: Images of an update.
        published: All hyperparameters, by name.
        chosen: Those that stay as they are.
    """
    values: dict[str, Any] = {"backbone": size.backbone}
    batch = chosen.get("batch_size", batch_size)
    for name, value in published.items():
        if name.endswith("batch_size") and value is not None:
            values[name] = batch
        if name.split("_")[-1] == "lr":
            values[name] = value * batch / published["batch_size"]
    return {k: v for k, v in values.items() if k not in chosen}
