"""`python -m keras_lt` is `keras-lt`."""

from keras_lt.cli.main import main

if __name__ == "__main__":
    main()
