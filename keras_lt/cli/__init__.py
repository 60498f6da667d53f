"""The programs of `keras-lt`."""
