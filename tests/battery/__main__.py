"""Try to lose a training, on the present backend: python -m tests.battery.

    KERAS_BACKEND=jax python -m tests.battery [PART...]

Without parts all run; at the end stands a table. Bad input, hostile images
and archives, locks and the limits of a file are tests of their own, whose
numbers are counted here: see `TESTS`.
"""

import functools
import pathlib
import re
import subprocess
import sys
import tempfile
import time

TESTS_FOLDER = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(TESTS_FOLDER), str(TESTS_FOLDER.parent / "experiments")]

import conftest  # noqa: E402, F401 - the same variables of JAX
import keras  # noqa: E402
import toy  # noqa: E402
from battery import damage, kills, small, soak  # noqa: E402

from keras_lt.methods import METHODS  # noqa: E402
from keras_lt.training import run  # noqa: E402

SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1")
FEWER = {
    "mislas": {"mislas_epochs": 2},
    "ride": {"num_experts": 2},
}
TESTS = {
    "bad inputs": ("test_domains.py", "cli/test_errors.py"),
    "hostile data": (
        "data/sources/test_hostile.py",
        "test_array_files.py",
        "training/test_progress.py",
    ),
    "two processes": ("runs/test_lock.py",),
    "power cuts": ("test_atomic.py",),
}


def signals_of_methods(folder):
    """A signal in every stage of every method that trains."""
    tried, wrong = 0, []
    for number, (name, method) in enumerate(METHODS.items()):
        epochs = (2,) * len(method.defaults["epochs"])
        options = {"backbone": "micro", "width": 4, "lr": 0.02}
        recipe = method(
            toy.problem(),
            epochs=epochs,
            batch_size=8,
            **options | FEWER.get(name, {}),
        )
        for stage in (s.name for s in recipe.stages if s.epochs):
            train = functools.partial(_train, recipe, stage)
            # Of routers an epoch is one step.
            place = SIGNALS[number % 4], 1, 1
            found, bad = kills.signals(folder / name / stage, train, [place])
            tried += found
            wrong += [f"{name}, {stage}: {line}" for line in bad]
    return tried, wrong


def _train(recipe, stage, workdir, act):
    def callbacks(present):
        return [act] if act and present.name == stage else []

    return run(
        recipe,
        toy.loader(),
        workdir=workdir,
        callbacks=callbacks,
        verbose=False,
        jit_compile="auto" if small.ON_JAX else False,
    )


def soaked(folder, steps=100_000):
    """One trial: flat, but for what the allocator's arenas do."""
    growth, handles, threads = soak.soak(folder, steps)
    line = f"{growth:.1f} bytes a step, {handles} handles, {threads} threads"
    print(f"soak: {steps:,} steps, {line}", flush=True)
    flat = growth < 16 and handles <= 0 and threads <= 0
    return steps, [] if flat else [line]


def tests(files):
    """Run tests; each passing one counts."""
    paths = [str(TESTS_FOLDER / file) for file in files]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rN", "--tb=line", "-v", *paths],
        capture_output=True,
        text=True,
        cwd=TESTS_FOLDER.parent,
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    wrong = re.findall(r"^\S+ (?:FAILED|ERROR).*$", done.stdout, re.MULTILINE)
    return int(passed[1]) if passed else 0, wrong


PARTS = {
    "kills, each step its own": lambda to: kills.kills(to, 1),
    "kills, steps as one program": lambda to: kills.kills(
        to, 2, kind="device", fused=2
    ),
    "full disks": lambda to: kills.full_disks(to, 2),
    "signals": lambda to: kills.signals(
        to,
        lambda folder, act: small.train(folder, act=act),
        [(name, e, s) for name in SIGNALS for e in (0, 1) for s in (1, 5, 8)],
    ),
    "signals, all methods": signals_of_methods,
    "damaged files": lambda to: damage.damaged(to, 40),
    "hostile checkpoints": damage.hostile_progress,
    "soak": soaked,
    **{name: lambda to, f=files: tests(f) for name, files in TESTS.items()},
}


def main(chosen):
    rows, failed = [], False
    for name, part in PARTS.items():
        if chosen and not any(name.startswith(each) for each in chosen):
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            number, wrong = part(pathlib.Path(folder))
        for line in wrong:
            print(f"{name}: {line}", flush=True)
        failed |= bool(wrong)
        seconds = time.monotonic() - began
        rows.append(f"| {name} | {number:,} | {len(wrong)} | {seconds:.0f} |")
        print(rows[-1], flush=True)
    print(f"\nOn {keras.backend.backend()}:\n")
    print("| trial | number | not as it should be | seconds |")
    print("|---|---|---|---|", *rows, sep="\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
