"""Several trainings side by side, whose equal steps run as one."""

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import keras

from keras_lt.devices import on_accelerator

_LOCAL = threading.local()


def together(
    jobs: Sequence[Callable[[], Any]], *, vectorised: bool | None = None
) -> list[Any]:
    """Call functions that train models of one architecture, side by side.

    A small network leaves most of an accelerator idle. Here each job runs in a
    thread of its own, one at a time, up to its next training step (or the
    steps that `fuse_steps` makes one program of); when all have come so far,
    those whose steps differ in nothing but the values of variables and the
    batches share a program: one vectorised over the jobs, or a single one's,
    which each calls in turn. Other jobs have their own. So callbacks,
    checkpoints and evaluation of each are those of a training of its own. JAX
    only.

    Args:
        jobs: Functions without arguments that call `training.run`, or `fit`
            after `fuse_steps`. They must set their own random seeds, and must
            not call `keras.utils.clear_session`.
        vectorised: Whether all take a step as one program. By default on an
            accelerator: a CPU has no fast convolution with a kernel for each
            group of images.

    Returns:
        What the jobs returned, in order.

    Raises:
        ValueError: on another backend than JAX, or under a distribution.
        Exception: the first that a job raised; the other jobs end then.
    """
    if keras.backend.backend() != "jax":
        raise ValueError(
            "several trainings side by side need the backend jax, got "
            f"{keras.backend.backend()}"
        )
    if keras.distribution.distribution() is not None:
        raise ValueError(
            "several trainings side by side need a single device, but a "
            "keras.distribution is set"
        )
    hub = _Hub(jobs, on_accelerator() if vectorised is None else vectorised)
    policy = keras.config.dtype_policy()
    threads = [
        threading.Thread(target=hub.work, args=(i, policy), daemon=True)
        for i in range(len(jobs))
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:  # Ctrl-C comes to this thread
        hub.error = hub.error or RuntimeError("training was interrupted")
        raise
    if hub.error:
        raise hub.error
    return hub.results


def current() -> "_Hub | None":
    """Where the thread meets others, if it trains together with them."""
    return getattr(_LOCAL, "hub", None)


class _Hub:
    """Lets one thread run at a time, and all steps when all have come."""

    def __init__(self, jobs, vectorised):
        self.jobs = jobs
        self.vectorised = vectorised
        self.results = [None] * len(jobs)
        self.turn = threading.Condition()
        self.alive = len(jobs)
        self.waiting = []
        self.error = None

    def work(self, number, policy):
        """Do a job from beginning to end."""
        with self.turn:
            _LOCAL.hub = self
            keras.config.set_dtype_policy(policy)  # each thread has its own
            self._keep_error(self._do, number)
            self.alive -= 1
            self._keep_error(self._run_if_complete)
            self.turn.notify_all()

    def _do(self, number):
        if not self.error:
            self.results[number] = self.jobs[number]()

    def _keep_error(self, function, *arguments):
        try:
            function(*arguments)
        except BaseException as error:
            self.error = self.error or error

    def meet(
        self, key: Hashable, request: Any, run: Callable[[list], list]
    ) -> Any:
        """Wait for the others, and return the result of a request.

        Args:
            key: Requests with equal keys run together.
            request: What to run.
            run: Function from requests to their results.
        """
        place = {"key": key, "request": request, "run": run}
        self.waiting.append(place)
        self._run_if_complete()
        self.turn.wait_for(lambda: self.error or "result" in place)
        if "result" not in place:
            raise RuntimeError("another training failed") from self.error
        return place["result"]

    def _run_if_complete(self):
        if self.error or len(self.waiting) < self.alive:
            return
        groups = defaultdict(list)
        for place in self.waiting:
            groups[place["key"]].append(place)
        self.waiting = []
        for group in groups.values():
            run = group[0]["run"]
            results = run([place["request"] for place in group])
            for place, result in zip(group, results, strict=True):
                place["result"] = result
        self.turn.notify_all()
