"""Images on disk that stand where an array of images does."""

import concurrent.futures
import functools
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lt.data.long_tail import DataError
from keras_lt.data.windows import windows

ORIENTATION = 0x0112  # tag of EXIF
TURNED = (5, 6, 7, 8)  # values of it that swap width and height


class ImageFiles:
    """Images on disk, cut to squares of one size when they are asked for.

    `files[index]`, with an array of positions or a slice, reads these images:
    uint8 `(B, S, S, 3)`. Greyscale, CMYK, palettes and 16 bits become RGB, and
    the orientation of EXIF is followed. JPEGs are decoded at the smallest size
    that serves.

    Args:
        root: Folder.
        names: N paths below it.
        size: S, pixels of a side.
        whole: Pixels of the shorter side of an image before its centre is cut
            out; 256 for 224 by default, and in proportion.
        instead: Position of the image that stands in for each one that cannot
            be read `(N,)`; None makes such an image an error.

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
    ):
        if size < 1:
            raise ValueError(f"`size` must be >= 1, got {size}")
        self.root = pathlib.Path(root)
        # An array of bytes takes a third of the memory of strings.
        self.names = np.array([os.fsencode(name) for name in names], "S")
        self.shape = (len(names), size, size, 3)
        self.share = size / (whole or round(size * 256 / 224))
        self.instead = instead
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
        window = functools.partial(self._window, draws)
        path, file = self.path(position), self._file(position)
        return read_image(path, self.shape[1], window, file)

    def _file(self, position):
        """Binary file to read instead of the path, or None."""

    def _window(self, draws, height, width):
        if draws is not None:
            return windows(draws[None], height, width)[0]
        side = self.share * min(height, width)
        return (height - side) / 2, side, (width - side) / 2, side


@functools.cache
def _pool():
    """Threads, as decoding leaves Python's lock."""
    return concurrent.futures.ThreadPoolExecutor(os.cpu_count())


def read_image(
    path: pathlib.Path, size: int, window: Any, file: Any = None
) -> np.ndarray:
    """Read a window of an image file, resized to a square.

    Args:
        path: Of the file, in any format that Pillow reads.
        size: Pixels of a side, S.
        window: Function from the height and width of the upright image to
            first row, rows, first column and columns.
        file: Binary, to read from instead; `path` then only names it.

    Returns:
        uint8 `(S, S, 3)`, RGB.

    Raises:
        DataError: naming the file and the reason.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise DataError(
            "images on disk need Pillow; pip install 'keras_lt[images]' brings "
            "it"
        ) from error
    try:
        with Image.open(path if file is None else file) as image:
            width, height = image.size
            orientation = image.getexif().get(ORIENTATION, 1)
            if orientation in TURNED:
                width, height = height, width
            top, rows, left, columns = window(height, width)
            scale = max(size / rows, size / columns)
            image.draft("RGB", [int(np.ceil(scale * s)) for s in image.size])
            if orientation != 1:
                image = ImageOps.exif_transpose(image)
            across, down = image.width / width, image.height / height
            box = (
                left * across,
                top * down,
                min((left + columns) * across, image.width),
                min((top + rows) * down, image.height),
            )
            image = _rgb(image)
            image = image.resize((size, size), Image.Resampling.BILINEAR, box)
            return np.asarray(image)
    except (
        *(OSError, ValueError, SyntaxError, EOFError, TypeError),
        *(Image.DecompressionBombWarning, Image.DecompressionBombError),
    ) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path} cannot be read: {reason}") from error


def _rgb(image):
    from PIL import Image

    if image.mode[0] in "IF":  # 16 bits, which Pillow would clip
        values = np.asarray(image)
        return Image.fromarray((values / 257).astype("uint8")).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
