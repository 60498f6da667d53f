"""Reproduce the tables: `python experiments/reproduce.py --help`."""

import sys

from reproduction.command import main

if __name__ == "__main__":
    main(sys.argv)
