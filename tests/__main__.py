"""Run the whole suite once for each backend: python -m tests [--backends=...].

Further arguments go to pytest.
"""

import argparse
import os
import subprocess
import sys


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests", description=__doc__
    )
    parser.add_argument("--backends", default="tensorflow,jax")
    options, rest = parser.parse_known_args()
    worst = 0
    for backend in options.backends.split(","):
        print(f"== {backend}", flush=True)
        environment = {
            **os.environ,
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        command = [sys.executable, "-m", "pytest", *rest]
        worst = max(worst, subprocess.run(command, env=environment).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
