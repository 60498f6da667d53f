"""Trainings as processes: the missing ones, in order, for a time."""

import contextlib
import os
import pathlib
import subprocess
import sys
import time
from typing import Any

from keras_lt.runs import RunFolder
from keras_lt.runs.lock import Locked, locked
from reproduction import children, tables
from reproduction.jobs import Job, Task

PROGRAM = pathlib.Path(__file__).parents[1] / "train.py"
REPORT_SECONDS = 60


class Workers:
    """Execute the trainings of a study.

    Args:
        jobs: All of the study.
        target: Folder of the results.
        asked: Options, see `command.Reproduction`.
    """

    def __init__(self, jobs: list[Job], target: pathlib.Path, asked: Any):
        self.jobs = {job.name: job for job in jobs}
        self.target = target
        self.asked = asked
        self.workdir = pathlib.Path(asked.workdir)
        self.together = False
        self.locks: dict[str, contextlib.ExitStack] = {}  # by task

    def state(self, job: Job) -> str:
        """How far a training is, in one line."""
        states = []
        for seed in job.seeds:
            epochs = self.folder(job, seed).epochs()
            if tables.path(self.target, job, seed).exists():
                states.append("done")
            elif epochs:
                line = epochs[-1]
                states.append(f"{line['stage']} epoch {line['epoch'] + 1}")
            else:
                states.append("open")
        return f"{job.name:<36}{'  '.join(f'{s:<24}' for s in states)}".rstrip()

    def folder(self, job: Job, seed: int) -> RunFolder:
        """Folder of one run."""
        alone = self.workdir / f"{job.name}-seed{seed}"
        if job.ratio is None:
            return RunFolder(alone)
        label = f"{job.dataset}-{job.ratio:g}-{job.method}-seed{seed}"
        beside = self.workdir / job.name / label
        return RunFolder(beside if beside.exists() else alone)

    def run(self, jobs: list[Job], end: float) -> bool:
        """Execute what is missing of some jobs, up to a time.

        Args:
            jobs: In the order of their execution.
            end: Of `time.monotonic()`.

        Returns:
            False if a training failed.
        """
        self.together = self.asked.backend != "tensorflow" and _jax_on_gpu()
        waiting, running, failed = self._tasks(jobs), {}, []
        with contextlib.ExitStack() as held, children.ending(running):
            held.callback(self._let_go)
            report = time.monotonic() + REPORT_SECONDS
            while waiting or running:
                if time.monotonic() > end:
                    print("time is up; the same command goes on")
                    break
                self._start(waiting, running, failed)
                for slot, (task, process) in [*running.items()]:
                    if process.poll() is not None:
                        del running[slot]
                        if not self._finish(task, process.returncode):
                            failed.append(task.job.name)
                        self._let_go(task.name)
                if time.monotonic() > report:
                    report += REPORT_SECONDS
                    for task, _ in running.values():
                        print(self.state(task.job), flush=True)
                time.sleep(0.1)
        return not failed

    def _tasks(self, jobs) -> list[Task]:
        """What is missing, and what that needs: the first seeds of all first.

        What is needed has the same seed, or seed 0.
        """
        wanted = {}  # job to seeds

        def want(job, seed):
            source = self._needed(job, seed)
            if source and not self.folder(*source).model_file.exists():
                want(*source)
            seeds = wanted.setdefault(job.name, [])
            if seed not in seeds:
                seeds.append(seed)

        for job in jobs:
            for seed in job.seeds:
                if not tables.path(self.target, job, seed).exists():
                    want(job, seed)
        tasks = []
        for name, seeds in wanted.items():
            job = self.jobs[name]
            own = job.needs and job.needs_seed is None
            apart = len(seeds) == 1 or not self.together or own
            for part in [[s] for s in seeds] if apart else [seeds]:
                folder = self.workdir / job.name
                if apart:
                    folder = self.workdir / f"{job.name}-seed{part[0]}"
                tasks.append(Task(job, tuple(part), folder))
        return sorted(tasks, key=lambda task: task.seeds[0])

    def source(self, task: Task) -> RunFolder | None:
        """Folder of the run that a task needs: known once that has begun."""
        needed = self._needed(task.job, task.seeds[0])
        return needed and self.folder(*needed)

    def _needed(self, job, seed):
        """Job and seed whose run another one needs, or None."""
        return job.needs and (self.jobs[job.needs], job.needed_seed(seed))

    def _start(self, waiting, running, failed):
        """Fill the free slots with tasks whose sources are there."""
        free = [s for s in range(self.asked.processes) if s not in running]
        for task in [*waiting]:
            source = self.source(task)
            if not free:
                return
            if task.job.needs in failed:
                print(f"{task.name}: left out, as {task.job.needs} failed")
                failed.append(task.job.name)
                waiting.remove(task)
            elif self._is_done(task):  # by another process meanwhile
                waiting.remove(task)
            elif not source or source.model_file.exists():
                if not self._take(task):
                    continue
                waiting.remove(task)
                slot = free.pop(0)
                running[slot] = task, self._process(task, source, slot)

    def _is_done(self, task):
        return task.beside_others and all(
            tables.path(self.target, task.job, seed).exists()
            for seed in task.seeds
        )

    def _take(self, task) -> bool:
        """Take a task, unless another process works on it."""
        lock = task.folder.with_name(f"{task.folder.name}.lock")
        held = contextlib.ExitStack()
        try:
            held.enter_context(locked(lock, task.name))
        except Locked as error:
            if not task.beside_others:
                print(f"{error}: left to it", flush=True)
            task.beside_others = True
            return False
        self.locks[task.name] = held
        return True

    def _let_go(self, name=None):
        for each in [name] if name else [*self.locks]:
            self.locks.pop(each).close()

    def _process(self, task, source, slot):
        several = len(task.seeds) > 1
        arguments = [
            *task.job.arguments(source and source.path),
            f"--seed{'s' * several}={','.join(map(str, task.seeds))}",
            f"--workdir={task.folder}",
            "--noplots",
        ]
        for name in ("data_dir", "subset", "backend"):  # the later flag counts
            if value := getattr(self.asked, name):
                if name == "data_dir":
                    value = pathlib.Path(value) / task.job.images
                arguments.append(f"--{name}={value}")
        print(f"{task.name}: started, log in {_log(task)}", flush=True)
        task.folder.parent.mkdir(parents=True, exist_ok=True)
        with open(_log(task), "a") as log:
            process = children.start(
                [sys.executable, str(PROGRAM), *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if self.asked.processes > 1 and hasattr(os, "sched_setaffinity"):
            cores = sorted(os.sched_getaffinity(0))
            share = cores[slot % len(cores) :: self.asked.processes]
            os.sched_setaffinity(process.pid, share)
        return process

    def _finish(self, task, status) -> bool:
        """Keep the results of a process that ended."""
        if status:
            lines = _log(task).read_text(errors="replace").split("\n")
            last = [line for line in lines if line.strip()][-1:]
            why = children.reason(status)
            print(f"{task.name}: failed{why}: {' '.join(last)}", flush=True)
            return False
        for seed in task.seeds:
            kept = tables.keep(
                self.target, task.job, seed, self.folder(task.job, seed)
            )
            overall = 100 * kept["accuracy"]["overall"]
            print(f"{task.job.name}, seed {seed}: {overall:.1f} %", flush=True)
        return True


def _log(task):
    return task.folder.with_name(f"{task.folder.name}.log")


def _jax_on_gpu() -> bool:
    """Whether the backend is JAX, and there is an accelerator."""
    if os.environ["KERAS_BACKEND"] != "jax":
        return False
    question = "import jax; print(jax.default_backend())"
    answer = subprocess.run(  # not here: it would take the memory
        [sys.executable, "-c", question], capture_output=True, text=True
    )
    return answer.stdout.strip() not in ("", "cpu")
