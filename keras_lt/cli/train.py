r"""Train, evaluate, and leave model, table and plots of a run in a folder.

The same command again goes on with a run that was stopped.

Examples:
  Your own photographs, one folder a class, in about twenty minutes:
    keras-lt train --dataset=folder --data_dir=photos

  Weight balancing beside cross entropy, on embedded data, three seeds:
    keras-lt train --method=ce,wb --seed=0,1,2

  The published run of a method:
    keras-lt train --method=wb --dataset=cifar100_lt --data_dir=DIR
"""

import sys
import traceback
from collections.abc import Sequence
from typing import Any

from keras_lt.array_files import DamagedFile
from keras_lt.cli import arguments, usage
from keras_lt.cli.backends import set_backend
from keras_lt.image_reader import DataError
from keras_lt.preemption import Preempted, heeded
from keras_lt.runs.lock import Locked
from keras_lt.runs.manner import Devices, Manner
from keras_lt.runs.options import Choice, Conditions, DataOptions
from keras_lt.runs.tuning.options import Tuning

GROUPS = (Choice, Tuning, Conditions, DataOptions, Manner, Devices)
NAMES = ()
FLAGS = {  # those that people use
    "dataset": "Your own images: folder (one folder a class) or csv (columns "
    "path, label, maybe split); or digits_lt, cifar10_lt, cifar100_lt, "
    "imagenet_lt, places_lt, inaturalist2018.",
    "data_dir": "Where the images are; or the csv file.",
    "method": "Several with commas. Default: auto for your own images, which "
    "chooses on held-out ones; else wb.",
    "budget": "Minutes that a run may take; or published. Network, image size, "
    "epochs and rates follow. Default: 20 for your own images.",
    "set": "A hyperparameter, NAME=VALUE; repeat for more.",
    "then": "Stages that follow: crt, lws, mislas, los, maxnorm, tau, la, ncm.",
    "tune": "Hyperparameters to look for on held-out images, such as l2,lr.",
    "seed": "Several with commas, and a table of means. Default: 0.",
    "workdir": "Folder of the run. Default: below runs/.",
    "backend": "tensorflow or jax. Default: what is installed.",
}
GO_ON = """
Methods: adapt, auto, balanced_softmax, ce, focal, ldam, mislas, record, reslt,
ride, shike, ssd, wb.

--help=METHOD  hyperparameters of one, with defaults of the data sets
--help=all     every flag, and more examples
keras-lt inspect --data_dir=photos looks at a folder before training.
"""
MORE = r"""
  Without the max-norm ball:
    keras-lt train --method=wb --set constraint=None

  An ablation in one table:
    keras-lt train --method=reslt --sweep branches=False \
      --sweep beta=0.0,0.5,0.9,0.99,1.0

  The classifier of any method retrained on balanced classes:
    keras-lt train --method=ride --then=crt

  Each method once, and three ways to go on from it, in one table:
    keras-lt train --method=ce,ldam,ride --then=crt --then=lws,tau --then=la

  Weight decay found on held-out training images, then one run with it:
    keras-lt train --method=wb --tune=l2,lr --trials=20

  Three seeds side by side, where one small network leaves a GPU idle (JAX):
    keras-lt train --method=ce --backend=jax --seeds=0,1,2

  Routers of several budgets on the experts of a finished run:
    keras-lt train --method=ride --init_from=RUN \
      --from_stage=router --sweep pos_weight=1,10,100,1000
"""
EXPECTED = (DataError, Locked, DamagedFile, OSError)  # while runs are executed
FAILED, DIVERGED = 1, 3  # status of the program


def prepare(argv: Sequence[str]) -> Any:
    """Parse and check everything that can be wrong.

    Returns:
        The runs; with --tune the search that has one to follow.
    """
    given = arguments.parse(argv, GROUPS, NAMES)
    images, devices = given[DataOptions], given[Devices]
    # Digits have 8x8 pixels.
    set_backend(devices.backend, small_steps=images.dataset == "digits_lt")
    from keras_lt.runs import strategies
    from keras_lt.runs.plan import make_runs
    from keras_lt.runs.request import Request

    strategies.start(devices, side_by_side=bool(given[Choice].seeds))
    request = Request(
        choice=given[Choice],
        conditions=given[Conditions],
        images=images,
        manner=given[Manner],
        command=arguments.command(argv),
        tuning=given[Tuning],
    )
    if request.tuning.tune:
        from keras_lt.runs.tuning import search

        return search.prepare(request)
    return make_runs(request)


def main(argv: Sequence[str]) -> None:
    """Check, train, and print a table."""
    if (topic := usage.topic_of(argv)) is not None:
        arguments.checked(_help, topic)
        return
    try:
        with heeded():
            _train(argv)
    except Preempted as end:
        print(end.line, file=sys.stderr, flush=True)
        raise


def _help(topic: str) -> None:
    """Print a screen, all flags, or one method."""
    if not topic:
        usage.print_screen(__doc__, FLAGS, GO_ON)
        return
    set_backend(None)
    if topic == usage.EVERYTHING:
        usage.print_flags(__doc__ + MORE, GROUPS)
        usage.print_methods()
    else:
        usage.print_method(topic)


def _train(argv: Sequence[str]) -> None:
    runs = arguments.checked(prepare, argv)
    from keras_lt.devices import is_chief
    from keras_lt.runs import reports, shown_data, strategies
    from keras_lt.runs.execution import execute
    from keras_lt.training import Diverged

    if not isinstance(runs, list):  # a search, which has one to follow
        runs = arguments.checked(runs.run, errors=EXPECTED)
    first, failures = runs[0], []

    def note(run, error):
        failures.append(error)
        _print_failure(run, error)

    if is_chief() and first.config.on_disk:
        shown_data.print_dataset(first.dataset)
        shown_data.print_shares(first.config.data)
    try:
        with strategies.lost_processes():
            results = arguments.checked(execute, runs, note, errors=EXPECTED)
    except Diverged as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(DIVERGED)
    if len(results) > 1 and is_chief():
        reports.print_means(results)
        reports.print_matrix(results)
        if first.manner.plots:
            reports.draw_comparison(first.folder.path.parent, results)
    if failures:
        only = all(isinstance(error, Diverged) for error in failures)
        sys.exit(DIVERGED if only else FAILED)


def _print_failure(run: Any, error: Exception) -> None:
    """Print what ended one run of several, with its trace if it is strange."""
    from keras_lt.runs.execution import StartFailed
    from keras_lt.training import Diverged

    known = (*EXPECTED, Diverged, StartFailed)
    if not isinstance(error, known):
        traceback.print_exception(error)
    reason = f"{error}".strip() or type(error).__name__
    print(
        f"error: {run.folder.path} failed: {reason}",
        file=sys.stderr,
        flush=True,
    )
