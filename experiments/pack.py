"""`python experiments/pack.py` is `keras-lt pack`."""

import sys

from keras_lt.cli.pack import main

if __name__ == "__main__":
    main(sys.argv)
