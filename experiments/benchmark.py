"""Measure speeds: `python experiments/benchmark.py --help`."""

import sys

from benchmarks.command import main

if __name__ == "__main__":
    main(sys.argv)
