"""Look at a data set: python experiments/inspect_data.py --dataset=folder.

Prints the splits, the classes and how many images they have, and the images
that cannot be read, all as training will see them; draws the long tail.
"""

import importlib.util
import pathlib
import sys
import time

import command_line
from absl import flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Declare the flags, in the order in which `--help` shows them."""
    flags.DEFINE_string("dataset", "folder", "As in train.py.")
    flags.DEFINE_string("data_dir", None, "As in train.py.")
    flags.DEFINE_float("imbalance_ratio", None, "As in train.py.")
    flags.DEFINE_integer("validation_per_class", 0, "As in train.py.")
    flags.DEFINE_integer("test_per_class", None, "As in train.py.")
    flags.DEFINE_integer("image_size", 224, "As in train.py.")
    flags.DEFINE_bool("check", True, "Read every image.")
    flags.DEFINE_string("plot", "long_tail.png", "Where to draw; '' for no.")


def prepare(argv: list[str]):
    """Parse the flags and read the data set."""
    command_line.parse(argv)
    command_line.set_backend(None)
    from keras_lt import data

    return data.load(
        FLAGS.dataset,
        imbalance_ratio=FLAGS.imbalance_ratio,
        data_dir=FLAGS.data_dir,
        validation_per_class=FLAGS.validation_per_class,
        test_per_class=FLAGS.test_per_class,
        image_size=FLAGS.image_size,
        skip_unreadable=True,
    )


def main(argv: list[str]) -> None:
    """Print, check, draw."""
    define_flags()
    if command_line.wants_help(argv):
        command_line.print_help(__doc__, FLAGS)
        return
    dataset = command_line.checked(prepare, argv)
    import reports

    reports.print_dataset(dataset)
    on_disk = hasattr(dataset.train[0], "unreadable")
    bad = _check(dataset) if FLAGS.check and on_disk else {}
    for reason in bad.values():
        print(f"unreadable: {reason}")
    if on_disk:
        print(f"unreadable: {len(bad)}" if FLAGS.check else "not all were read")
    if FLAGS.plot and importlib.util.find_spec("matplotlib"):
        import plots

        plots.long_tail(pathlib.Path(FLAGS.plot), dataset.class_counts)
        print(f"{FLAGS.plot} drawn")


def _check(dataset) -> dict[str, str]:
    """Read every image once; return the reasons of those that cannot be."""
    import numpy as np

    found = {}
    splits = (dataset.train, dataset.validation, dataset.test)
    for images, labels in filter(None, splits):
        report = time.monotonic() + 5
        for start in range(0, len(labels), 256):
            found |= images.check(np.arange(len(labels))[start : start + 256])
            if time.monotonic() > report:
                report += 5
                print(f"read {start:,} of {len(labels):,}", flush=True)
    return found


if __name__ == "__main__":
    main(sys.argv)
