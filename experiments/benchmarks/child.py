"""Contenders in a process of their own, which answers with seconds.

A name on a line of its standard input asks for a turn of that contender; the
answer is a line of JSON: the seconds it took, or why it cannot take part.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any


class Absent(Exception):
    """Says why a contender does not take part."""


def timed(run: Callable[[], Any]) -> Callable[[], float]:
    """Make a function return the seconds it took."""

    def turn():
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    return turn


class Child:
    """The parent's side.

    Args:
        program: Module beside this one that calls `serve`.
        settings: Its argument, as JSON.
        environment: Its variables; by default those of this process.
    """

    def __init__(
        self,
        program: str,
        settings: Any,
        environment: Mapping[str, str] | None = None,
    ):
        variables = dict(os.environ if environment is None else environment)
        path = [str(pathlib.Path(__file__).parents[1])]
        path += filter(None, [variables.get("PYTHONPATH")])
        variables["PYTHONPATH"] = os.pathsep.join(path)
        module = f"benchmarks.{program}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=variables,
        )

    def turn(self, name: str) -> float:
        """Seconds of a turn of a contender.

        Raises:
            Absent: if it cannot take part.
        """
        try:
            print(name, file=self.process.stdin, flush=True)
            answer = json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            raise Absent("its process has ended") from None
        if isinstance(answer, str):
            raise Absent(answer)
        return answer

    def close(self) -> None:
        """Let the process end."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def serve(contenders: Mapping[str, Callable[[], Any]]) -> None:
    """The child's side: take the turns that are asked for, to the end."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print is no answer
    for line in sys.stdin:
        try:
            answer = timed(contenders[line.strip()])()
        except Exception as error:  # such as: no compiler for torch.compile
            answer = (str(error).strip() or repr(error)).splitlines()[0]
        print(json.dumps(answer), file=answers, flush=True)
