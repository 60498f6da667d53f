"""What makes up batch i: indices, pixels, and what goes with them."""

import functools

import keras
import numpy as np

from keras_lt.data.augment import pick_pixels
from keras_lt.data.distortions import distort


class Plan:
    """Which images make up batch i, and where their pixels come from."""

    def __init__(self, loader, stage, seed, first_epoch):
        self.size = loader.pixels.shape[1:3]
        self.augment = loader.augment
        self.batch_size = stage.batch_size
        self.seed = seed
        self.steps = loader.steps(stage)
        self.first_epoch = first_epoch
        self.order = functools.lru_cache(2)(
            lambda epoch: stage.sampler(loader.labels, seed, epoch)
        )

    def place(self, i):
        """Epoch and step."""
        epoch, step = divmod(i, self.steps)
        return epoch + self.first_epoch, step

    def index(self, i):
        """Positions of the images."""
        epoch, step = self.place(i)
        start = step * self.batch_size
        return self.order(epoch)[start : start + self.batch_size]

    def random(self, i, view=0):
        """Where a view's draws come from."""
        return np.random.default_rng((self.seed, *self.place(i), view))

    def __getitem__(self, i):
        """Positions of the images, and the sources of their pixels."""
        index = self.index(i)
        if not self.augment.moves_pixels:
            return index, np.zeros((len(index), 0), "int32")
        return index, self.augment.draw(self.random(i), len(index), *self.size)


class NumpyBatches(keras.utils.PyDataset):
    """Endless batches by their number, made by numpy."""

    def __init__(self, loader, plan, two_views, soft_labels):
        super().__init__()
        self.loader = loader
        self.plan = plan
        self.two_views = two_views
        self.soft_labels = soft_labels

    @property
    def num_batches(self):
        """None: endless."""
        return None

    def __getitem__(self, i):
        """Batch i, in the form that `Loader.train` describes."""
        index = self.plan.index(i)
        labels = self.loader.labels[index]
        images = self._view(index, self.loader.augment, self.plan.random(i))
        if self.two_views:
            random = self.plan.random(i, 1)
            second = self._view(index, self.loader.second_view, random)
            return (images, second, labels), labels
        if self.soft_labels is not None:
            return (images, self.soft_labels[index]), labels
        return images, labels

    def _view(self, index, augment, random):
        images = self.loader.pixels[index]
        if augment.moves_pixels:
            source = augment.draw(random, *images.shape[:3])
            images = pick_pixels(images, source)
        if augment.distorts:
            images = distort(images, random, augment)
        for layer in augment.layers:
            images = layer(images.astype("float32"), training=True)
            images = keras.ops.convert_to_numpy(images)
        if images.shape[1:] != self.loader.pixels.shape[1:]:
            raise ValueError(
                f"`augment` must keep images {self.loader.pixels.shape[1:]}, "
                f"got {images.shape[1:]}"
            )
        return images
