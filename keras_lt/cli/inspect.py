"""Look at a data set: keras-lt inspect --data_dir=photos.

Prints the splits, the classes and how many images they have, and the images
that cannot be read, all as training will see them; draws the long tail. With
--report it writes a page with advice, duplicates, odd images and doubtful
labels.
"""

import dataclasses
import importlib.util
import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from keras_lt.cli import arguments, usage
from keras_lt.cli.backends import set_backend
from keras_lt.domains import Domain
from keras_lt.runs.defaults import settled_images
from keras_lt.runs.flags import option
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.options import DataOptions


@dataclasses.dataclass(frozen=True, kw_only=True)
class Images(DataOptions):
    """Which images."""

    dataset: str = option(
        "folder", "folder, csv, or another one of keras-lt train."
    )
    unreadable: str = option(
        "skip", "Images that cannot be read: skip, which lists them, or error."
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """What to do with them."""

    check: bool = option(True, "Read every image.")
    plot: str = option(
        "long_tail.png", "Where to draw; '' for no.", domain=Domain(empty=True)
    )
    report: bool = option(False, "Write a page about every image.")
    out: str = option("data.html", "Where to write the page.")
    encoder: str | None = option(
        None,
        "Folder of a finished run whose encoder tells images apart, to find "
        "doubtful labels (with cleanlab). Default: pixels of small copies.",
    )


GROUPS = (Images, Look)
NAMES = ()
FEW = (  # that people use
    *("dataset", "data_dir", "image_size", "test_per_class", "test_share"),
    *("small_classes", "plot", "report", "out"),
)


def prepare(argv: Sequence[str]) -> tuple[Any, Look, Any]:
    """Parse the flags, read the data set, and the encoder if one is named."""
    given = arguments.parse(argv, GROUPS, NAMES)
    if given[Look].report:
        from keras_lt.reporting.page import check_installed

        check_installed()
    encoder = given[Look].encoder
    if encoder and not given[Look].report:
        raise ValueError("--encoder needs --report")
    folder = RunFolder(encoder) if encoder else None
    set_backend(folder.config().backend if folder else None)
    dataset = settled_images(given[Images]).load()
    encode = None
    if folder:
        from keras_lt.reporting.encoding import encoding

        encode = encoding(folder.model(), dataset.input_shape)
    return dataset, given[Look], encode


def main(argv: Sequence[str]) -> None:
    """Print, check, draw."""
    if (topic := usage.topic_of(argv)) is not None:
        few = () if topic == usage.EVERYTHING else FEW
        usage.print_flags(__doc__, GROUPS, few)
        return
    dataset, look, encode = arguments.checked(prepare, argv)
    from keras_lt.runs import shown_data

    shown_data.print_dataset(dataset)
    if look.report:
        bad = _report(dataset, look.out, arguments.command(argv), encode)
        _print_unreadable(bad)
    elif hasattr(dataset.train[0], "unreadable"):
        if look.check:
            _print_unreadable(_check(dataset))
        else:
            print("not all were read")
    if look.plot and importlib.util.find_spec("matplotlib"):
        from keras_lt.runs import class_plots

        class_plots.long_tail(
            pathlib.Path(look.plot),
            {
                "class_counts": dataset.class_counts,
                "class_names": dataset.class_names,
                "groups": dataset.groups,
            },
        )
        print(f"{look.plot} drawn")


def _print_unreadable(bad: Mapping[str, str]) -> None:
    for reason in bad.values():
        print(f"unreadable: {reason}")
    print(f"unreadable: {len(bad)}")


def _report(
    dataset: Any, out: str, command: str, encode: Any
) -> Mapping[str, str]:
    """Write the page; return the reasons of what cannot be read."""
    from keras_lt.atomic import write_atomically
    from keras_lt.reporting.data_page import data_page
    from keras_lt.reporting.inspection import inspect_images

    last = time.monotonic()

    def progress(split: str, total: int, done: int) -> None:
        nonlocal last
        if time.monotonic() > last + 5:
            last = time.monotonic()
            print(f"looked at {done:,} of {total:,}, {split}", flush=True)

    found = inspect_images(dataset, progress, encode)
    title = f"{dataset.name}: {len(dataset.class_names)} classes"
    page = data_page(found, title=title, command=command)
    write_atomically(pathlib.Path(out), page.encode())
    print(f"{out} written, {len(page) / 2**20:.1f} MiB")
    return found.unreadable


def _check(dataset: Any) -> dict[str, str]:
    """Read every image once; return the reasons of those that cannot be."""
    import numpy as np

    found = {}
    for images, labels in dataset.present:
        report = time.monotonic() + 5
        for start in range(0, len(labels), 256):
            found |= images.check(np.arange(len(labels))[start : start + 256])
            if time.monotonic() > report:
                report += 5
                print(f"read {start:,} of {len(labels):,}", flush=True)
    return found
