"""`python experiments/predict.py` is `keras-lt predict`."""

import sys

from keras_lt.cli.predict import main

if __name__ == "__main__":
    main(sys.argv)
