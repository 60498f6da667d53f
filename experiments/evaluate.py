"""Evaluate the model of a finished run: python experiments/evaluate.py WORKDIR.

Reads `model.keras` and the test images, prints accuracy by shot group, and
compares it with the run's `result.json`. For routed experts it also counts how
many images use how many experts, and measures what that costs.
"""

import pathlib
import sys

import command_line
import finished
from absl import flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Declare the flags, in the order in which `--help` shows them."""
    flags.DEFINE_string(
        "data_dir", None, "Folder with the data. Default: the run's own."
    )
    flags.DEFINE_bool(
        "flip_tta",
        None,
        "Evaluate on the mean of image and mirror image. Default: as the run.",
    )
    flags.DEFINE_string(
        "backend", None, "tensorflow or jax. Default: the run's own."
    )


def prepare(argv: list[str]):
    """Find the run and read its data set, model and result."""
    folder = pathlib.Path(command_line.parse(argv, ["WORKDIR"])[0])
    return finished.read(folder, FLAGS.backend, FLAGS.data_dir)


def main(argv: list[str]) -> None:
    """Evaluate, print, compare."""
    define_flags()
    if command_line.wants_help(argv):
        command_line.print_help(__doc__, FLAGS)
        return
    dataset, model, result = command_line.checked(prepare, argv)
    import reports
    import routing

    from keras_lt import training

    flip = result["flip_tta"] if FLAGS.flip_tta is None else FLAGS.flip_tta
    found = training.evaluate(
        model, *dataset.test, dataset.class_counts, flip=flip
    )["accuracy"]
    reports.print_accuracies({"result.json": result["accuracy"], "now": found})
    if flip == result["flip_tta"]:
        same = found == result["accuracy"]
        print("equal" if same else "NOT equal to result.json")
    if routing.has_router(model):
        plain = routing.plain_macs(result["hyperparameters"], dataset)
        report = routing.report(model, dataset.test[0], plain)
        reports.print_routing(report)


if __name__ == "__main__":
    main(sys.argv)
