"""Runs in turn, or side by side."""

import itertools
from collections.abc import Sequence

from keras_lt import training
from keras_lt.runs.one_run import Result, Run


def execute(runs: Sequence[Run]) -> list[Result]:
    """Execute runs, one after the other, or side by side for `--seeds`.

    Returns:
        The content of each one's `result.json`.
    """

    def kind(run):  # equal for those that train in one program
        content = run.config.to_json()
        if not run.together:
            return content
        return content | {"seed": None, "init_from": None}

    results = []
    for _, group in itertools.groupby(runs, kind):
        first, *others = group
        first.clear()
        for other in others:
            other.verbose = False  # one line of progress is enough
        if others:
            modes = {"vectorised": True, "in_turn": False, None: None}
            jobs = [run.execute for run in (first, *others)]
            mode = modes[first.seeds_mode]
            results += training.together(jobs, vectorised=mode)
        else:
            results.append(first.execute())
    return results
