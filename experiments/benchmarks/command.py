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

import dataclasses
import importlib
import json
import os
from collections.abc import Sequence

from keras_lt.cli import arguments, usage
from keras_lt.cli.backends import set_backend
from keras_lt.runs.flags import option

WHAT = {  # and the module that measures it
    "overhead": "speed_of_steps",
    "train": "speed_of_steps",
    "input": "speed_of_data",
    "sampler": "speed_of_data",
    "routing": "speed_of_routing",
    "serving": "speed_of_routing",
    "communication": "communication",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measurement:
    """How to measure."""

    backend: str | None = option(None, "tensorflow or jax.")
    method: str = option(
        "ce", "Method of `train` and `communication`: ce or ride."
    )
    backbone: str = option("resnet32", "Network.")
    image_size: int | None = option(
        None,
        "Pixels of a side. Default: 4 in `overhead`, 224 in `input` from "
        "disk, else 32.",
    )
    batch_size: int | None = option(
        None,
        "Images a step. Default: 2 in `overhead`, 2 a device in "
        "`communication`, 256 in `routing`, else 128.",
    )
    dataset: str | None = option(
        None, "Images on disk for `input`: folder or csv."
    )
    data_dir: str | None = option(None, "Where they are.")
    classes: int = option(100, "Classes of `communication`.")
    steps: int | None = option(
        None,
        "Steps or batches of a measurement. Default: in `train` 2 on a CPU "
        "and 84 on an accelerator, else 50.",
    )
    rounds: int | None = option(
        None,
        "Measurements of each contender. Default: in `overhead` and `train` "
        "3 to 15, as --minutes allow, else 7.",
    )
    minutes: float = option(7.0, "Time for `overhead` or `train`.")
    precision: str = option(
        "float32",
        "Of `overhead` and `train`, PyTorch's as well: float32 or "
        "mixed_bfloat16.",
    )
    contenders: tuple[str, ...] | None = option(
        None,
        "Who takes part in `overhead` and `train`, in this order: fit; "
        "untuned_fit, in a process without the settings for a CPU; stock_fit, "
        "default_fit, device_fit, scan, 3_seeds, 3_seeds_in_turn, "
        "torch_eager, torch_channels_last, torch_compile. Default: those that "
        "suit the device.",
        commas=True,
    )
    trace: str | None = option(
        None,
        "Folder for a profiler's trace of a turn of the first contender of "
        "`overhead` or `train`.",
    )


GROUPS = (Measurement,)
NAMES = ("WHAT",)


def prepare(argv: Sequence[str]) -> tuple[str, Measurement]:
    """Parse the flags; return what to measure, and how."""
    given = arguments.parse(argv, GROUPS, NAMES)
    (what,), asked = given.rest, given[Measurement]
    if what not in WHAT:
        raise ValueError(f"WHAT must be one of {[*WHAT]}, got {what!r}")
    if asked.method not in ("ce", "ride"):
        raise ValueError(f"--method must be ce or ride, got {asked.method!r}")
    if what == "communication":  # on a CPU, two devices that share it
        two = "--xla_force_host_platform_device_count=2"
        os.environ.setdefault("XLA_FLAGS", two)
    small = what in ("overhead", "serving")  # of single images as well
    set_backend(asked.backend, small_steps=small)
    if what not in ("overhead", "train"):
        asked = dataclasses.replace(
            asked, steps=asked.steps or 50, rounds=asked.rounds or 7
        )
    return what, asked


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    if usage.topic_of(argv) is not None:
        usage.print_flags(__doc__, GROUPS)
        return
    what, asked = arguments.checked(prepare, argv)
    import keras

    module = importlib.import_module(f"benchmarks.{WHAT[what]}")
    measure = getattr(module, f"measure_{what}")
    found = arguments.checked(measure, asked)
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
    import keras

    from keras_lt.runs import provenance

    return {
        "what": what,
        "command": arguments.command(argv),
        "backend": keras.backend.backend(),
        "device": provenance.device(),
        "versions": provenance.versions(),
    }
