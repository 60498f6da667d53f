"""`python experiments/evaluate.py` is `keras-lt evaluate`."""

import sys

from keras_lt.cli.evaluate import main

if __name__ == "__main__":
    main(sys.argv)
