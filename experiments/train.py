"""`python experiments/train.py` is `keras-lt train`."""

import sys

from keras_lt.cli.train import main

if __name__ == "__main__":
    main(sys.argv)
