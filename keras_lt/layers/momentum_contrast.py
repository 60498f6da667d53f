"""Label-aware contrast with a momentum encoder and a queue of keys."""

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.devices import replicas
from keras_lt.keras_internals import OwnLosses, without_tensorflow
from keras_lt.layers.batch_normalization import set_groups
from keras_lt.layers.contrast import contrast, no_class, random_directions
from keras_lt.ops import (
    class_ids,
    rows_in_order,
    rows_of_replicas,
    unit_length,
)

PLAIN = ("batch_size", "queue_size", "width", "momentum", "temperature")
PLAIN += ("shuffle", "groups", "weight")  # arguments that are plain values


@keras.saving.register_keras_serializable(package="keras_lt")
class MomentumContrast(OwnLosses, keras.layers.Layer):
    """Encode the queries, and add a contrastive loss against a queue of keys.

    While training, in this order: the key encoder moves towards the query
    encoder, `key <- momentum * key + (1 - momentum) * query`; it encodes the
    second crops to keys k; with the projected queries q and the queue u,

        mean_i logsumexp({q_i k_i / T} and {q_i u_j / T with y_j != y_i})
               - q_i k_i / T

    is added to the loss of `compile`; the keys replace the oldest ones of the
    queue. Keys of the query's own class are left out, not used as positives.
    Entries not yet written are random directions of no class. Key encoder,
    queue and its labels are weights of this layer: they are saved with it.

    Where query and key are normalised with statistics of the same images,
    those give the pair away (He et al., section 3.3). `shuffle` has the keys
    encoded in a drawn order, over all devices: it matters where parts of a
    batch have statistics of their own, on devices or as `groups`.

    Args:
        encoder: Query encoder, a built model from images to features
            `(B, D)`. The key encoder begins as its copy. Batch normalisation
            of the key encoder has its own statistics.
        batch_size: Images of every training batch B, over all replicas.
        queue_size: Number of keys K, a multiple of B; an epoch's images as
            released.
        width: Length of a projected query or key.
        momentum: Of the key encoder, in [0, 1].
        temperature: T, > 0.
        shuffle: Whether to encode the keys in a drawn order. Runs that resume
            draw on; a `.keras` file has no state of the draws.
        groups: Parts of a device's share of the batch, set in place in every
            `layers.BatchNormalization` of both encoders; 1 leaves them.
        weight: Factor on what is added to the loss, >= 0.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Call arguments: queries and keys, two crops of images, and class ids `(B,)`.
    Returns: the encoder's features of the queries `(B, D)`, not projected.
    Raises: ValueError: if `queue_size` is not a multiple of `batch_size`, that
        not one of `groups` and devices, `momentum`, `temperature` or `weight`
        is out of range, or the encoder's batch normalisation has no `groups`.

    See also: `models.contrastive_classifier`.

    Example:
        >>> crops, keys = keras.Input((8,)), keras.Input((8,))
        >>> labels = keras.Input((), dtype="int32")
        >>> body = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
        >>> contrast = MomentumContrast(body, batch_size=2, queue_size=6)
        >>> logits = keras.layers.Dense(3)(contrast(crops, keys, labels))
        >>> model = keras.Model([crops, keys, labels], logits)

    Source: Li et al., ICCV 2021, `MCG-NJU/SSD-LT`; He et al., CVPR 2020.
    Differs from the released code: entries not yet written have no class, not
        class 0. It always shuffles, and needs several devices for it; here the
        default does not, and one device with `groups` does what they do.
        Moving statistics are means over all parts; initial values are Keras's.
    """

    @checked
    def __init__(
        self,
        encoder: keras.Model,
        *,
        batch_size: int,
        queue_size: int,
        width: int = 128,
        momentum: float = 0.999,
        temperature: float = 0.2,
        shuffle: bool = False,
        groups: int = 1,
        weight: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if queue_size < batch_size or queue_size % batch_size:
            nearest = max(round(queue_size / batch_size), 1) * batch_size
            raise ValueError(
                f"`queue_size` must be a multiple of the batch of {batch_size}"
                f", got {queue_size}; the nearest one is {nearest}"
            )
        if not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be in [0, 1], got {momentum}")
        if not temperature > 0:
            raise ValueError(f"`temperature` must be > 0, got {temperature}")
        if groups < 1 or batch_size % groups:
            raise ValueError(
                f"`groups` must divide the batch of {batch_size}, got {groups}"
            )
        if groups > 1:
            set_groups(encoder, groups)
        if not weight >= 0:
            raise ValueError(f"`weight` must be >= 0, got {weight}")
        self.encoder = encoder
        self.batch_size = batch_size
        self.queue_size = queue_size
        self.width = width
        self.momentum = momentum
        self.temperature = temperature
        self.shuffle = shuffle
        self.groups = groups
        if shuffle:
            self.seed_generator = keras.random.SeedGenerator()
        self.weight = weight
        with without_tensorflow():
            self.key_encoder = keras.models.clone_model(encoder)
        self.key_encoder.name = f"key_{encoder.name}"
        self.projector = self._make_projector("projector")
        self.key_projector = self._make_projector("key_projector")

    def _make_projector(self, name):
        features = self.encoder.output_shape[-1]
        return keras.Sequential(
            [
                keras.Input((features,)),
                keras.layers.Dense(
                    features, "relu", dtype="float32", name="hidden"
                ),
                keras.layers.Dense(self.width, dtype="float32", name="width"),
            ],
            name=name,
        )

    def build(self, queries_shape, keys_shape, labels_shape):
        """Make the queue; copy the query side to the key side."""
        if self.batch_size % (self.groups * replicas()):
            raise ValueError(
                f"`batch_size` must be a multiple of {self.groups} groups on "
                f"each of {replicas()} devices, got {self.batch_size}"
            )
        self.reset_keys()
        self._pairs = [
            pair
            for query, key in self._sides()
            for pair in zip(query.variables, key.variables, strict=True)
            if pair[0].trainable
        ]
        for _, key in self._pairs:
            key.trainable = False

        def state(name, shape, initializer, dtype):
            return self.add_weight(
                shape,
                initializer=initializer,
                dtype=dtype,
                trainable=False,
                autocast=False,
                name=name,
            )

        shape = (self.queue_size, self.width)
        self.queue = state("queue", shape, random_directions, "float32")
        self.queue_labels = state("queue_labels", shape[:1], no_class, "int32")
        self.pointer = state("pointer", (), "zeros", "int32")

    def _sides(self):
        """Pairs of models, query side and key side."""
        return (
            (self.encoder, self.key_encoder),
            (self.projector, self.key_projector),
        )

    def reset_keys(self) -> None:
        """Make the key side a copy of the query side, as at the beginning."""
        for query, key in self._sides():
            key.set_weights(query.get_weights())

    def call(self, queries, keys, labels, training=False):
        """Encode the queries; while training, contrast and enqueue."""
        features = self.encoder(queries, training=training)
        if training:
            self._contrast(features, keys, class_ids(labels))
        return features

    def _contrast(self, features, keys, labels):
        share = 1 - self.momentum
        for query, key in self._pairs:
            old = ops.stop_gradient(key)
            key.assign(old + share * (ops.stop_gradient(query) - old))
        key = ops.stop_gradient(unit_length(self._encode(keys)))
        query = unit_length(self.projector(features))
        queue = ops.stop_gradient(self.queue)
        queue_labels = ops.stop_gradient(self.queue_labels)
        values = contrast(
            query, key, labels, queue, queue_labels, self.temperature
        )
        self.add_loss(self.weight * ops.mean(values))
        # A batch of another size fails here instead of shifting the queue.
        key = ops.reshape(rows_of_replicas(key), (self.batch_size, self.width))
        labels = ops.reshape(rows_of_replicas(labels), (self.batch_size,))
        start = ops.stop_gradient(self.pointer)
        self.queue.assign(ops.slice_update(queue, (start, 0), key))
        self.queue_labels.assign(
            ops.slice_update(queue_labels, (start,), labels)
        )
        self.pointer.assign((start + self.batch_size) % self.queue_size)

    def _encode(self, images):
        """Project the key encoder's features of images, in their order."""
        if not self.shuffle:
            return self._encode_as_they_come(images)
        order = keras.random.shuffle(
            ops.arange(self.batch_size), seed=self.seed_generator
        )
        keys = self._encode_as_they_come(rows_in_order(images, order))
        return rows_in_order(keys, ops.argsort(order))

    def _encode_as_they_come(self, images):
        return self.key_projector(self.key_encoder(images, training=True))

    def compute_output_shape(self, queries_shape, keys_shape, labels_shape):
        """Return the shape of the features."""
        return (queries_shape[0], self.encoder.output_shape[-1])

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            **{name: getattr(self, name) for name in PLAIN},
        }

    @classmethod
    def from_config(cls, config):
        """Make the layer from its arguments."""
        encoder = keras.saving.deserialize_keras_object(config["encoder"])
        return cls(**{**config, "encoder": encoder})
