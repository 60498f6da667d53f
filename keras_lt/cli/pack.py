"""Pack CIFAR for a machine without it: keras-lt pack FOLDER.

Writes an archive to FOLDER that `train --data_dir=FOLDER` reads, with only
those training images that a long tail of this imbalance ratio has.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

from keras_lt.cli import arguments, usage
from keras_lt.cli.backends import set_backend
from keras_lt.domains import Domain
from keras_lt.runs.flags import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tail:
    """Which images to keep."""

    dataset: str = option("cifar100_lt", "cifar10_lt or cifar100_lt.")
    imbalance_ratio: float = option(
        100.0, "Of the images to keep.", domain=Domain(1)
    )
    subset: str = option("ldam", "ldam or first, as in train.")
    data_dir: str | None = option(
        None, "Folder with CIFAR's official binary archive."
    )


GROUPS = (Tail,)
NAMES = ("FOLDER",)


def main(argv: Sequence[str]) -> None:
    """Pack."""
    if usage.topic_of(argv) is not None:
        usage.print_flags(__doc__, GROUPS)
        return
    path = arguments.checked(pack, argv)
    print(f"{path} written, {path.stat().st_size / 2**20:.1f} MiB")


def pack(argv: Sequence[str]) -> pathlib.Path:
    """Check the flags, write the archive, and return its path."""
    given = arguments.parse(argv, GROUPS, NAMES)
    tail, (folder,) = given[Tail], given.rest
    if tail.data_dir is None:
        raise ValueError("--data_dir must name the folder of the archive")
    if tail.dataset not in ("cifar10_lt", "cifar100_lt"):
        raise ValueError(
            f"--dataset must be cifar10_lt or cifar100_lt, got {tail.dataset!r}"
        )
    set_backend(None)
    from keras_lt.data import load
    from keras_lt.data.sources import cifar

    chosen = load(
        tail.dataset,
        imbalance_ratio=tail.imbalance_ratio,
        subset=tail.subset,
        data_dir=tail.data_dir,
    )
    name, kept = tail.dataset.removesuffix("_lt"), chosen.indices
    assert kept is not None, "CIFAR is cut out of a whole"
    return cifar.pack(name, tail.data_dir, pathlib.Path(folder), kept)
