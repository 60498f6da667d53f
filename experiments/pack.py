"""Pack CIFAR for a machine without it: python experiments/pack.py FOLDER.

Writes an archive to FOLDER that `train.py --data_dir=FOLDER` reads, with only
those training images that a long tail of this imbalance ratio has.
"""

import pathlib
import sys

import command_line
from absl import flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Declare the flags, in the order in which `--help` shows them."""
    flags.DEFINE_string("dataset", "cifar100_lt", "cifar10_lt or cifar100_lt.")
    flags.DEFINE_float("imbalance_ratio", 100, "Of the images to keep.")
    flags.DEFINE_string("subset", "ldam", "ldam or first, as in train.py.")
    flags.DEFINE_string(
        "data_dir", None, "Folder with CIFAR's official binary archive."
    )


def main(argv: list[str]) -> None:
    """Pack."""
    define_flags()
    if command_line.wants_help(argv):
        command_line.print_help(__doc__, FLAGS)
        return
    path = command_line.checked(pack, argv)
    print(f"{path} written, {path.stat().st_size / 2**20:.1f} MiB")


def pack(argv: list[str]) -> pathlib.Path:
    """Check the flags, write the archive, and return its path."""
    (folder,) = command_line.parse(argv, ["FOLDER"])
    if FLAGS.data_dir is None:
        raise ValueError("--data_dir must name the folder of the archive")
    if FLAGS.dataset not in ("cifar10_lt", "cifar100_lt"):
        raise ValueError(
            "--dataset must be cifar10_lt or cifar100_lt, got "
            f"{FLAGS.dataset!r}"
        )
    command_line.set_backend(None)
    from keras_lt.data import cifar, load

    chosen = load(
        FLAGS.dataset,
        imbalance_ratio=FLAGS.imbalance_ratio,
        subset=FLAGS.subset,
        data_dir=FLAGS.data_dir,
    )
    name = FLAGS.dataset.removesuffix("_lt")
    return cifar.pack(
        name, FLAGS.data_dir, pathlib.Path(folder), chosen.indices
    )


if __name__ == "__main__":
    main(sys.argv)
