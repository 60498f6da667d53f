"""Reproduce the tables: python experiments/reproduce.py list|run|table|images.

`list` shows the trainings of a study and how far each one is. `run` executes
the missing ones, in order; it may be stopped at any point, and the same command
goes on. Each finished training leaves a file in --results. `table` writes
README.md there, from those files alone. `images` writes what the study of own
images trains on into --data_dir.
"""

import dataclasses
import pathlib
import sys
import time
from collections.abc import Sequence

from keras_lt.cli import arguments, usage
from keras_lt.cli.backends import set_backend
from keras_lt.runs.flags import option
from reproduction import natural_tails, page, studies
from reproduction.jobs import Job
from reproduction.workers import Workers

ACTIONS = ("list", "run", "table", "images")
HERE = pathlib.Path(__file__).parents[1]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reproduction:
    """What to reproduce."""

    study: str = option(
        "reduced",
        "full: the published recipes, for GPUs. reduced: small networks and "
        "few epochs, for a CPU. stages: the same, and stages that go on from "
        "some of its runs. middle: ResNet-32 and a quarter of the epochs, for "
        "an evening. ablation: likewise, AutoAugment and Cutout on plain "
        "methods, and record without each of its parts. own: all methods on "
        "images with a natural tail, after `images`. check: two epochs of a "
        "full-size run.",
    )
    only: tuple[str, ...] = option(
        (), "Trainings whose names begin so.", commas=True
    )
    data_dir: str | None = option(None, "Folder with the data of all sets.")
    subset: str | None = option(
        None, "precut, where training files hold only a part."
    )
    minutes: float | None = option(
        None, "Time after which `run` stops. Default: none."
    )
    processes: int = option(
        1, "Trainings at a time; they share the cores of the CPU."
    )
    workdir: str = option("runs/reproduce", "Folder of the trainings' folders.")
    results: str | None = option(
        None, "Folder of the results. Default: experiments/results."
    )
    backend: str | None = option(None, "tensorflow or jax.")


GROUPS = (Reproduction,)
NAMES = ("|".join(ACTIONS),)


def prepare(
    argv: Sequence[str],
) -> tuple[str, Reproduction, list[Job]]:
    """Check the flags and return the action and the chosen trainings."""
    given = arguments.parse(argv, GROUPS, NAMES)
    (action,), asked = given.rest, given[Reproduction]
    if action not in ACTIONS:
        raise ValueError(f"expected one of {[*ACTIONS]}, got {action!r}")
    if asked.study not in studies.STUDIES:
        raise ValueError(
            f"--study must be one of {[*studies.STUDIES]}, got {asked.study!r}"
        )
    if asked.processes < 1:
        raise ValueError(f"--processes must be >= 1, got {asked.processes}")
    if asked.minutes is not None and not asked.minutes > 0:
        raise ValueError(f"--minutes must be > 0, got {asked.minutes}")
    if action == "images" and not asked.data_dir:
        raise ValueError("images: --data_dir must say where to write them")
    if asked.data_dir and not pathlib.Path(asked.data_dir).is_dir():
        raise ValueError(f"--data_dir must be a folder, got {asked.data_dir}")
    set_backend(asked.backend)
    jobs = studies.STUDIES[asked.study]()
    chosen = [job for job in jobs if job.name.startswith(asked.only or ("",))]
    if not chosen:
        raise ValueError(
            f"--only: no training of {asked.study} begins with {asked.only}; "
            f"there are {[job.name for job in jobs]}"
        )
    return action, asked, chosen


def main(argv: Sequence[str]) -> None:
    """List, run, or write the table."""
    if usage.topic_of(argv) is not None:
        usage.print_flags(__doc__, GROUPS)
        return
    action, asked, jobs = arguments.checked(prepare, argv)
    results = pathlib.Path(asked.results or HERE / "results")
    if action == "table":
        path = arguments.checked(page.write, results)
        print(f"{path} written")
        return
    if action == "images":
        arguments.checked(natural_tails.write, pathlib.Path(asked.data_dir))
        return
    workers = Workers(studies.STUDIES[asked.study](), results, asked)
    if action == "list":
        for job in jobs:
            print(workers.state(job))
        return
    end = time.monotonic() + 60 * (asked.minutes or float("inf"))
    if not workers.run(jobs, end):
        sys.exit(1)
