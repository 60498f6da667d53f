"""`train.py` as a program that knows the backbone "micro"."""

import sys

from keras_lt.cli import train


def set_backend(*arguments, own=train.set_backend, **options):
    own(*arguments, **options)
    import micro  # noqa: F401, makes itself known


if __name__ == "__main__":
    train.set_backend = set_backend
    train.main(sys.argv)
