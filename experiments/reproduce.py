"""Reproduce the tables: python experiments/reproduce.py list|run|table.

`list` shows the trainings of a study and how far each one is. `run` executes
the missing ones, in order; it may be stopped at any point, and the same command
goes on. Each finished training leaves a file in --results. `table` writes
README.md there, from those files alone.
"""

import pathlib
import sys
import time

import command_line
import page
import studies
from absl import flags
from workers import Workers

FLAGS = flags.FLAGS
ACTIONS = ("list", "run", "table")


def define_flags() -> None:
    """Declare the flags, in the order in which `--help` shows them."""
    here = pathlib.Path(__file__).parent
    flags.DEFINE_string(
        "study",
        "reduced",
        "full: the published recipes, for GPUs. reduced: small networks and "
        "few epochs, for a CPU. middle: ResNet-32 and a quarter of the "
        "epochs, for an evening. check: two epochs of a full-size run.",
    )
    flags.DEFINE_list("only", [], "Trainings whose names begin so.")
    flags.DEFINE_string("data_dir", None, "Folder with the data of all sets.")
    flags.DEFINE_string(
        "subset", None, "precut, where training files hold only a part."
    )
    flags.DEFINE_float(
        "minutes", None, "Time after which `run` stops. Default: none."
    )
    flags.DEFINE_integer(
        "processes", 1, "Trainings at a time; they share the cores of the CPU."
    )
    flags.DEFINE_string(
        "workdir", "runs/reproduce", "Folder of the trainings' folders."
    )
    flags.DEFINE_string(
        "results",
        str(here / "results"),
        "Folder of the results. Default: beside this program.",
    )
    flags.DEFINE_string("backend", None, "tensorflow or jax.")


def prepare(argv: list[str]) -> tuple[str, list[studies.Job]]:
    """Check the flags and return the action and the chosen trainings."""
    (action,) = command_line.parse(argv, ["|".join(ACTIONS)])
    if action not in ACTIONS:
        raise ValueError(f"expected one of {[*ACTIONS]}, got {action!r}")
    if FLAGS.study not in studies.STUDIES:
        raise ValueError(
            f"--study must be one of {[*studies.STUDIES]}, got {FLAGS.study!r}"
        )
    if FLAGS.processes < 1:
        raise ValueError(f"--processes must be >= 1, got {FLAGS.processes}")
    if FLAGS.minutes is not None and not FLAGS.minutes > 0:
        raise ValueError(f"--minutes must be > 0, got {FLAGS.minutes}")
    if FLAGS.data_dir and not pathlib.Path(FLAGS.data_dir).is_dir():
        raise ValueError(f"--data_dir must be a folder, got {FLAGS.data_dir}")
    command_line.set_backend(FLAGS.backend)
    jobs = studies.STUDIES[FLAGS.study]()
    starts = tuple(FLAGS.only)
    chosen = [job for job in jobs if job.name.startswith(starts or "")]
    if not chosen:
        raise ValueError(
            f"--only: no training of {FLAGS.study} begins with {starts}; "
            f"there are {[job.name for job in jobs]}"
        )
    return action, chosen


def main(argv: list[str]) -> None:
    """List, run, or write the table."""
    define_flags()
    if command_line.wants_help(argv):
        command_line.print_help(__doc__, FLAGS)
        return
    action, jobs = command_line.checked(prepare, argv)
    results = pathlib.Path(FLAGS.results)
    if action == "table":
        path = command_line.checked(page.write, results)
        print(f"{path} written")
        return
    workers = Workers(studies.STUDIES[FLAGS.study](), results, FLAGS)
    if action == "list":
        for job in jobs:
            print(workers.state(job))
        return
    end = time.monotonic() + 60 * (FLAGS.minutes or float("inf"))
    if not workers.run(jobs, end):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv)
