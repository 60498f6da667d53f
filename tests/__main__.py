"""Run the whole suite once for each backend: python -m tests [--backends=...].

Further arguments go to pytest.
"""

import argparse
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


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests", description=__doc__
    )
    parser.add_argument("--backends", default="tensorflow,jax")
    options, rest = parser.parse_known_args()
    worst = 0
    with tempfile.TemporaryDirectory() as cache:
        for backend in options.backends.split(","):
            print(f"== {backend}", flush=True)
            environment = {
                **CACHE,
                "JAX_COMPILATION_CACHE_DIR": cache,
                **os.environ,
                "KERAS_BACKEND": backend,
                "TF_CPP_MIN_LOG_LEVEL": "3",
            }
            command = [sys.executable, "-m", "pytest", *rest]
            status = subprocess.run(command, env=environment).returncode
            worst = max(worst, status)
    return worst


if __name__ == "__main__":
    sys.exit(main())
