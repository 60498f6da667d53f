"""Run the programs as their users do, in a process of their own."""

import os
import pathlib
import subprocess
import sys

import keras

ROOT = pathlib.Path(__file__).parents[1]
TINY = (
    "--set=width=4",
    "--set=epochs=(2,)",
    "--noplots",
    "--method=ce",
)


def environment(**more):
    return {
        **os.environ,
        "KERAS_BACKEND": keras.backend.backend(),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **more,
    }


def command(program, *arguments):
    return [sys.executable, str(ROOT / "experiments" / program), *arguments]


def start(program, *arguments, cwd):
    return subprocess.Popen(
        command(program, *map(str, arguments)),
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(program, *arguments, cwd, status=0):
    """Run to the end and return standard output and error."""
    process = start(program, *arguments, cwd=cwd)
    out, err = process.communicate(timeout=300)
    assert process.returncode == status, err
    return out, err
