"""A classifier that is not trained: the nearest mean of a class."""

import keras
import numpy as np
from keras import ops

from keras_lt.checking import checked
from keras_lt.ops import unit_length

DISTANCES = ("euclidean", "cosine")


@keras.saving.register_keras_serializable(package="keras_lt")
class NearestClassMean(keras.layers.Layer):
    """How near features are to the mean of each class's training images (NCM).

    With features f, their mean c over all training images and u(x) = x / ||x||,
    the logit of a class with mean m is, by `distance`,

        "euclidean":  -||u(f - c) - m||^2, m the class mean of u(f - c)
        "cosine":     <u(f), u(m)>, m the class mean of f

    Every class has one say, whatever its number of images.

    Args:
        num_classes: Number of classes C.
        distance: `"euclidean"`, as released, or `"cosine"`.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: features `(B, D)`.
    Returns: logits `(B, C)`; means nothing before `adapt`.
    Raises: ValueError: if `num_classes` is not positive or `distance` unknown.

    See also: `CosineClassifier`.

    Example:
        >>> layer = NearestClassMean(2, distance="cosine")
        >>> layer.adapt([[0, 1], [0, 3], [2, 0]], [0, 0, 1])
        >>> [float(logit) for logit in layer(ops.array([[0.0, 5.0]]))[0]]
        [1.0, 0.0]

    Source: Kang et al., ICLR 2020, section 4;
        `facebookresearch/classifier-balancing:models/KNNClassifier.py`, whose
        default, "cl2n" with "l2", is "euclidean".
    """

    @checked
    def __init__(
        self, num_classes: int, *, distance: str = "euclidean", **kwargs
    ):
        super().__init__(**kwargs)
        if not num_classes > 0:
            raise ValueError(f"`num_classes` must be > 0, got {num_classes}")
        if distance not in DISTANCES:
            raise ValueError(
                f"`distance` must be one of {DISTANCES}, got {distance!r}"
            )
        self.num_classes = num_classes
        self.distance = distance

    def build(self, input_shape):
        """Make the center `(D,)` and the class means `(D, C)`."""
        shapes = {
            "center": (input_shape[-1],),
            "kernel": (input_shape[-1], self.num_classes),
        }
        for name, shape in shapes.items():
            weight = self.add_weight(
                shape, initializer="zeros", trainable=False, name=name
            )
            setattr(self, name, weight)

    def adapt(self, features: np.ndarray, labels: np.ndarray) -> None:
        """Set the means.

        Args:
            features: Of the training images, `(N, D)`.
            labels: Their class ids `(N,)`; each class must have one.
        """
        features = np.asarray(features, "float32")
        if not self.built:
            self.build(features.shape)
        if self.distance == "euclidean":
            center = features.mean(0, dtype="float64").astype("float32")
            features = features - center
            norms = np.linalg.norm(features, axis=1, keepdims=True)
            features /= np.maximum(norms, 1e-12)
            self.center.assign(center)
        self.kernel.assign(class_means(features, labels, self.num_classes))

    def call(self, inputs):
        """Return the logits."""
        inputs = ops.cast(inputs, "float32")
        kernel = ops.cast(ops.convert_to_tensor(self.kernel), "float32")
        if self.distance == "cosine":
            cosines = ops.matmul(unit_length(inputs), unit_length(kernel, 0))
            return ops.cast(cosines, self.compute_dtype)
        near = unit_length(inputs - self.center)
        # ||u - m||^2, where ||u|| = 1.
        logits = 2 * ops.matmul(near, kernel) - ops.sum(kernel**2, 0) - 1
        return ops.cast(logits, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """Return the shape of the logits."""
        return (*input_shape[:-1], self.num_classes)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "distance": self.distance,
        }


def class_means(
    features: np.ndarray, labels: np.ndarray, num_classes: int
) -> np.ndarray:
    """Mean of the features of each class.

    Args:
        features: `(N, D)`.
        labels: Class ids `(N,)`; each class must have one.
        num_classes: Number of classes C.

    Returns:
        `(D, C)`, as a classifier's kernel.
    """
    counts = np.bincount(labels, minlength=num_classes)
    by_class = features[np.argsort(labels, kind="stable")]
    starts = np.cumsum(counts) - counts
    sums = np.add.reduceat(by_class, starts, axis=0, dtype="float64")
    return (sums / counts[:, None]).T
