"""Images in the records of TensorFlow Datasets, read one by one."""

import io
import pathlib
from typing import Any

import numpy as np

from keras_lt.atomic import replacing
from keras_lt.data.sources.image_files import ImageFiles
from keras_lt.data.sources.tfds import from_tfds


class RecordImages(ImageFiles):
    """Encoded images in records, as `ImageFiles`.

    Args:
        records: `records[part][i]["image"]` is the content of a file.
        root: Where they come from, for messages.
        names: The part and i of each image, `"train/7"`.
        **options: Of `ImageFiles`.
    """

    def __init__(self, records: Any, root: Any, names: Any, **options: Any):
        super().__init__(root, names, **options)
        self.records = records

    def _file(self, position):
        part, _, number = self.names[position].decode().partition("/")
        return io.BytesIO(self.records[part][int(number)]["image"])


def open_records(
    name: str, splits: dict[str, str], advice: str
) -> tuple[pathlib.Path, dict[str, Any], dict[str, np.ndarray]]:
    """Open a data set of TensorFlow Datasets, prepared if need be.

    Args:
        name: Of the data set.
        splits: Our name of each split to theirs.
        advice: What else one can do, for messages.

    Returns:
        Its folder; by their splits the records, whose images are undecoded;
        and by ours the labels, int64 `(N,)`, which are kept in its folder, as
        finding them means to read everything once.

    Raises:
        DataError: if it cannot be had.
    """

    def get(tfds):
        builder = tfds.builder(name, file_format="array_record")
        builder.download_and_prepare()
        undecoded = {"image": tfds.decode.SkipDecoding()}
        return builder.data_path, {
            theirs: builder.as_data_source(split=theirs, decoders=undecoded)
            for theirs in splits.values()
        }

    path, records = from_tfds(name, advice, get)
    root = pathlib.Path(path)
    labels = {
        split: _labels(records[theirs], root / f"labels_{theirs}.npy")
        for split, theirs in splits.items()
    }
    return root, records, labels


def _labels(records, path):
    """Labels of all records, read once and kept."""
    if path.exists():
        labels = np.load(path)
        if len(labels) == len(records):
            return labels
    print(f"reading the labels of {len(records):,} images", flush=True)
    labels = [records[i]["label"] for i in range(len(records))]
    labels = np.array(labels, "int64")
    with replacing(path) as aside:
        np.save(aside, labels)
    return labels
