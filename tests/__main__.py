"""Run the tests for each backend, side by side.

    python -m tests [--all] [--backends=tensorflow,jax]

Those marked as slow take part with `--all`. Further arguments go to pytest.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile

# Small networks spend most of a test in XLA's compiler; many tests, also
# those in processes of their own, compile the same programs.
CACHE = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


def start(backend: str, arguments: list[str], folder: str, report):
    """Start the suite with one backend; `report` takes what it prints."""
    environment = {
        **CACHE,
        "JAX_COMPILATION_CACHE_DIR": folder,
        **os.environ,
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.Popen(command, env=environment, stdout=report)


def spread(backends: int) -> list[str]:
    """Arguments that give each backend its share of more than two cores.

    Tests of a file stay together: they share what is made once.
    """
    workers = len(os.sched_getaffinity(0)) // backends
    return [f"--numprocesses={workers}", "--dist=loadfile"][: 2 * (workers > 1)]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests", description=__doc__
    )
    parser.add_argument("--all", action="store_true", help="slow ones, too")
    parser.add_argument("--backends", default="tensorflow,jax")
    options, rest = parser.parse_known_args()
    first, *others = backends = options.backends.split(",")
    rest = [*spread(len(backends)), *rest]
    if not options.all:
        rest = ["-m", "not slow", *rest]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as on:
        # The first report is seen as it grows, the others when they are whole.
        reports = [
            on.enter_context(tempfile.TemporaryFile("w+")) for _ in others
        ]
        print("== " + " and ".join(backends), flush=True)
        run = start(first, rest, folder, None)
        runs = [
            start(backend, rest, folder, report)
            for backend, report in zip(others, reports, strict=True)
        ]
        worst = run.wait()
        for backend, run, report in zip(others, runs, reports, strict=True):
            worst = max(worst, run.wait())
            report.seek(0)
            print(f"== {backend}\n{report.read()}", flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
