"""`python experiments/export.py` is `keras-lt export`."""

import sys

from keras_lt.cli.export import main

if __name__ == "__main__":
    main(sys.argv)
