"""Write an artefact on the TensorFlow backend: SOURCE.keras WRITTEN."""

import json
import pathlib
import sys

import keras

from keras_lt.export.formats import WRITERS


def main(source: str, written: str) -> None:
    """Read the model and the job beside it, and write."""
    job = json.loads(pathlib.Path(source).with_name("job.json").read_text())
    every = keras.saving.load_model(source, compile=False)
    images = every.inputs[0]
    model, *views = [keras.Model(images, output) for output in every.outputs]
    views = dict(zip(job["views"], views, strict=True))
    path = pathlib.Path(written)
    WRITERS[job["format"]](model, path, job["content"], views)


if __name__ == "__main__":
    main(*sys.argv[1:])
