"""Runs in turn, or side by side."""

import itertools
from collections.abc import Callable, Sequence

from keras_lt import training
from keras_lt.devices import processes
from keras_lt.image_reader import DataError
from keras_lt.runs.one_run import Result, Run

FOR_ALL = (DataError, OSError)  # what other runs would meet as well


class StartFailed(ValueError):
    """The run failed at whose end another one begins."""


OnFailure = Callable[[Run, Exception], None]


def execute(
    runs: Sequence[Run], on_failure: OnFailure | None = None
) -> list[Result]:
    """Execute runs, one after the other, or side by side for `--seeds`.

    Args:
        runs: What to execute.
        on_failure: Called with each run of several that failed, and the
            error; the others go on, but for those that begin where it would
            have ended. By default, in several processes, and where images or
            the disk fail, the error is raised.

    Returns:
        The content of the `result.json` of each that did not fail.
    """

    def kind(run):  # equal for those that train in one program
        content = run.config.to_json()
        if not run.together:
            return content
        return content | {"seed": None, "init_from": None}

    groups = [[*group] for _, group in itertools.groupby(runs, kind)]
    if len(groups) == 1 or processes()[1] > 1:
        on_failure = None
    results, failed = [], set()
    for group in groups:
        try:
            for run in group:
                if run.waits and run.config.init_from in failed:
                    raise StartFailed(
                        f"it begins where {run.config.init_from} ends, which "
                        "failed"
                    )
            results += _together(group)
        except FOR_ALL:
            raise
        except Exception as error:
            if on_failure is None:
                raise
            for run in group:
                failed.add(str(run.folder.path))
                on_failure(run, error)
    return results


def _together(group: Sequence[Run]) -> list[Result]:
    """Execute runs that differ in their seed only; most often it is one."""
    first, *others = group
    first.clear()
    if not others:
        return [first.execute()]
    for other in others:
        other.verbose = False  # one line of progress is enough
    modes = {"vectorised": True, "in_turn": False, None: None}
    jobs = [run.execute for run in group]
    return training.together(jobs, vectorised=modes[first.seeds_mode])
