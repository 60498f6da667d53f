"""A file is the same pixels in training, evaluation, `predict` and SavedModel.

The network's logits are its pixels, bit for bit.
"""

import keras
import numpy as np
import programs
import pytest
from PIL import Image

from keras_lt import data
from keras_lt.cli import given_images, predict
from keras_lt.data import Augment, Batching, Loader
from keras_lt.export import export
from keras_lt.image_reader import ORIENTATION
from keras_lt.training import predict_logits

SIZE = 6
RANDOM = np.random.default_rng(0)


def noise(height, width, *channels):
    return RANDOM.integers(0, 256, (height, width, *channels), "uint8")


def palette():
    return Image.fromarray(noise(30, 20, 3)).convert("P")


def write_photos(folder):
    """One file a class, the same for training and testing."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    deep = RANDOM.integers(0, 2**16, (30, 20), "uint16")
    photos = {
        "alpha.png": Image.fromarray(noise(30, 20, 4)),
        "cmyk.jpg": Image.fromarray(noise(30, 20, 3)).convert("CMYK"),
        "deep.png": Image.fromarray(deep),
        "grey.webp": Image.fromarray(noise(30, 20)),
        "palette.gif": palette(),
        "palette.png": palette(),
        "small.bmp": Image.fromarray(noise(2, 3, 3)),
        "turned.jpg": Image.fromarray(noise(30, 50, 3)),
        "wide.tiff": Image.fromarray(noise(16, 400, 3)),
    }
    for split in ("train", "test"):
        for name, photo in photos.items():
            path = folder / split / name.replace(".", "_") / name
            path.parent.mkdir(parents=True)
            options = {"exif": exif} if name == "turned.jpg" else {}
            photo.save(path, **options)
    return len(photos)


@pytest.mark.slow
@programs.once("tensorflow")  # which JAX would ask to export
def test_the_same_bits_everywhere(tmp_path, monkeypatch):
    programs.ask_here(monkeypatch)
    number = write_photos(tmp_path / "photos")
    dataset = data.load(
        "folder", data_dir=str(tmp_path / "photos"), image_size=SIZE
    )
    images, labels = dataset.test
    model = keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten()]
    )
    evaluated = predict_logits(model, images)  # (N, pixels)
    assert len(np.unique(evaluated, axis=0)) == number == len(labels)

    loader = Loader(dataset.train, augment=Augment(), kind="numpy")
    batches = loader.train(Batching(batch_size=number), seed=0)
    pixels, ids = (np.asarray(x) for x in batches[0])
    trained = model.predict_on_batch(pixels)
    np.testing.assert_array_equal(np.sort(ids), labels)
    np.testing.assert_array_equal(trained[np.argsort(ids)], evaluated)

    export(
        model,
        tmp_path / "served",
        class_counts=[1] * evaluated.shape[1],
        metadata={"dataset": "folder", "whole": dataset.train[0].whole},
    )
    asked = predict.prepare(
        ["predict", str(tmp_path / "served"), str(tmp_path / "photos/test")]
    )
    read = [*given_images.read(asked.files, asked.content)]
    said = asked.ask(np.stack([found for _, found in read]))
    np.testing.assert_array_equal(said, evaluated)
