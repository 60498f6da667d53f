"""`python experiments/inspect_data.py` is `keras-lt inspect`."""

import sys

from keras_lt.cli.inspect import main

if __name__ == "__main__":
    main(sys.argv)
