"""Measure speeds: python experiments/benchmark.py WHAT.

WHAT is `overhead`, what a training step costs beside its arithmetic; `train`,
images a second in training; `input`, batches of images a second; `sampler`,
draws a second; `routing`, inference that skips experts; `serving`, requests to
exported models; or `communication`, what devices tell each other in a step, and
what that would cost on many (the assumptions are in communication.py). The
contenders take turns in one run; printed are medians (of `serving` quantiles),
their ratios to the first one, and one line of JSON. `overhead` and `train` also
tell after each turn, as JSON, what is known so far, so that a run may be cut
off; a PyTorch loop takes part in them where PyTorch is installed.
"""

import importlib
import json
import os
import sys

import command_line
from absl import flags

FLAGS = flags.FLAGS
WHAT = {  # and the module that measures it
    "overhead": "speed_of_steps",
    "train": "speed_of_steps",
    "input": "speed_of_data",
    "sampler": "speed_of_data",
    "routing": "speed_of_routing",
    "serving": "speed_of_routing",
    "communication": "communication",
}


def define_flags() -> None:
    """Declare the flags, in the order in which `--help` shows them."""
    flags.DEFINE_string("backend", None, "tensorflow or jax.")
    flags.DEFINE_string(
        "method", "ce", "Method of `train` and `communication`: ce or ride."
    )
    flags.DEFINE_string("backbone", "resnet32", "Network.")
    flags.DEFINE_integer(
        "image_size",
        None,
        "Pixels of a side. Default: 4 in `overhead`, 224 in `input` from "
        "disk, else 32.",
    )
    flags.DEFINE_integer(
        "batch_size",
        None,
        "Images a step. Default: 2 in `overhead`, 2 a device in "
        "`communication`, 256 in `routing`, else 128.",
    )
    flags.DEFINE_string(
        "dataset", None, "Images on disk for `input`: folder or csv."
    )
    flags.DEFINE_string("data_dir", None, "Where they are.")
    flags.DEFINE_integer("classes", 100, "Classes of `communication`.")
    flags.DEFINE_integer(
        "steps",
        None,
        "Steps or batches of a measurement. Default: in `train` 2 on a CPU "
        "and 84 on an accelerator, else 50.",
    )
    flags.DEFINE_integer(
        "rounds",
        None,
        "Measurements of each contender. Default: in `overhead` and `train` "
        "3 to 15, as --minutes allow, else 7.",
    )
    flags.DEFINE_float("minutes", 7.0, "Time for `overhead` or `train`.")
    flags.DEFINE_string(
        "precision",
        "float32",
        "Of `overhead` and `train`, PyTorch's as well: float32 or "
        "mixed_bfloat16.",
    )
    flags.DEFINE_list(
        "contenders",
        None,
        "Who takes part in `overhead` and `train`, in this order: fit; "
        "untuned_fit, in a process without the settings for a CPU; stock_fit, "
        "default_fit, device_fit, scan, 3_seeds, 3_seeds_in_turn, "
        "torch_eager, torch_channels_last, torch_compile. Default: those that "
        "suit the device.",
    )
    flags.DEFINE_string(
        "trace",
        None,
        "Folder for a profiler's trace of a turn of the first contender of "
        "`overhead` or `train`.",
    )


def prepare(argv: list[str]) -> str:
    """Parse the flags and return what to measure."""
    (what,) = command_line.parse(argv, ["WHAT"])
    if what not in WHAT:
        raise ValueError(f"WHAT must be one of {[*WHAT]}, got {what!r}")
    if FLAGS.method not in ("ce", "ride"):
        raise ValueError(f"--method must be ce or ride, got {FLAGS.method!r}")
    if what == "communication":  # on a CPU, two devices that share it
        two = "--xla_force_host_platform_device_count=2"
        os.environ.setdefault("XLA_FLAGS", two)
    small = what in ("overhead", "serving")  # of single images as well
    command_line.set_backend(FLAGS.backend, small_steps=small)
    return what


def main(argv: list[str]) -> None:
    """Measure and print."""
    define_flags()
    if command_line.wants_help(argv):
        command_line.print_help(__doc__, FLAGS)
        return
    what = command_line.checked(prepare, argv)
    import keras

    if what not in ("overhead", "train"):
        FLAGS.steps, FLAGS.rounds = FLAGS.steps or 50, FLAGS.rounds or 7
    measure = getattr(importlib.import_module(WHAT[what]), f"measure_{what}")
    found = command_line.checked(measure, FLAGS)
    reference, first = next(iter(found.items()))
    unit = "_ms" if reference.endswith("_ms") else "_per_s"
    ratios = {k: v / first for k, v in found.items() if k.endswith(unit)}
    for name, value in found.items():
        ratio = f"{ratios[name]:10.2f}" if name in ratios else ""
        print(f"{name:<32}{_rounded(value):>20,}{ratio}")
    result = _circumstances(what, argv) | found | {"ratios": ratios}
    print(json.dumps(keras.tree.map_structure(_rounded, result)))


def _rounded(value):
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _circumstances(what, argv):
    import files
    import keras

    return {
        "what": what,
        "command": command_line.command(argv),
        "backend": keras.backend.backend(),
        "device": files.device(),
        "versions": files.versions(),
    }


if __name__ == "__main__":
    main(sys.argv)
