"""Images on disk that stand where an array of images does."""

import concurrent.futures
import copy
import functools
import os
import pathlib
from collections.abc import Sequence

import numpy as np

from keras_lt.data.transforms.windows import place_windows
from keras_lt.image_reader import (
    MAX_PIXELS,
    DataError,
    read_image,
    whole_of,
)


class ImageFiles:
    """Images on disk, cut to squares of one size when they are asked for.

    `files[index]`, with an array of positions or a slice, reads these images:
    uint8 `(B, S, S, 3)`, each as `read_image` does.

    Args:
        root: Folder.
        names: N paths below it.
        size: S, pixels of a side.
        whole: Pixels of the shorter side of an image before its centre is cut
            out; `whole_of(size)` by default.
        instead: Position of the image that stands in for each one that cannot
            be read `(N,)`; None makes such an image an error.
        max_pixels: See `read_image`.

    Attributes:
        shape: `(N, S, S, 3)`.
        unreadable: Those met so far, with the reason, by their path; only
            where there is `instead`.
        failure: The error of the first that could not be read, if it was one:
            tf.data hides what was raised in it.

    Raises:
        DataError: when an image is asked for that cannot be read, naming it.
    """

    dtype = np.dtype("uint8")
    nbytes = float("inf")  # more than a device can hold

    def __init__(
        self,
        root: str | os.PathLike,
        names: Sequence[str],
        *,
        size: int = 224,
        whole: int | None = None,
        instead: np.ndarray | None = None,
        max_pixels: int = MAX_PIXELS,
    ):
        if size < 1:
            raise ValueError(f"`size` must be >= 1, got {size}")
        self.root = pathlib.Path(root)
        # An array of bytes takes a third of the memory of strings.
        self.names = np.array([os.fsencode(name) for name in names], "S")
        self.shape = (len(names), size, size, 3)
        self.whole = whole_of(size) if whole is None else whole
        self.instead = instead
        self.max_pixels = max_pixels
        self.unreadable: dict[str, str] = {}
        self.failure: DataError | None = None

    def __len__(self):
        """N."""
        return self.shape[0]

    def __getitem__(self, index: slice | np.ndarray) -> np.ndarray:
        """Read the centres of some images."""
        if isinstance(index, slice):
            index = np.arange(len(self))[index]
        return self.read(index)

    def at(self, size: int) -> "ImageFiles":
        """The same images in another size."""
        other = copy.copy(self)
        other.shape = (len(self), size, size, 3)
        other.whole = whole_of(size)
        return other

    def path(self, position: int) -> pathlib.Path:
        """Path of one image."""
        return self.root / os.fsdecode(bytes(self.names[position]))

    def read(
        self, index: np.ndarray, draws: np.ndarray | None = None
    ) -> np.ndarray:
        """Read images, several at a time.

        Args:
            index: Positions `(B,)`.
            draws: `(B, D)`, of `draw_windows`, for random windows of the
                images; None for their centres.

        Returns:
            uint8 `(B, S, S, 3)`.
        """
        draws = [None] * len(index) if draws is None else draws
        images = _pool().map(self._read, index, draws)
        return (
            np.stack([*images])
            if len(index)
            else np.zeros((0, *self.shape[1:]), "uint8")
        )

    def check(self, index: np.ndarray) -> dict[str, str]:
        """Read images, and return why some cannot be, by their path."""

        def reason(position):
            try:
                self._read_one(position, None)
            except DataError as error:
                return str(self.path(position)), str(error)

        return dict(filter(None, _pool().map(reason, index)))

    def _read(self, position, draws):
        tried = set()
        while True:
            try:
                return self._read_one(position, draws)
            except DataError as error:
                if self.instead is None:
                    self.failure = error
                    raise
                self.unreadable[str(self.path(position))] = str(error)
                tried.add(position)
                position = self.instead[position]
                if position in tried:
                    raise DataError(
                        "of one class no image can be read; the last reason "
                        f"is: {error}"
                    ) from error

    def _read_one(self, position, draws):
        return read_image(
            self.path(position),
            self.shape[1],
            whole=self.whole,
            window=None if draws is None else _drawn(draws),
            file=self._file(position),
            max_pixels=self.max_pixels,
        )

    def _file(self, position):
        """Binary file to read instead of the path, or None."""


def _drawn(draws):
    """The window that was drawn for one image, whatever its size."""
    return lambda height, width: place_windows(draws[None], height, width)[0]


@functools.cache
def _pool():
    """Threads, as decoding leaves Python's lock."""
    return concurrent.futures.ThreadPoolExecutor(os.cpu_count())
