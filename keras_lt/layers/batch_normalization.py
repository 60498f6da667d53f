"""Batch normalisation that says whose statistics it uses."""

import keras
from keras import ops

from keras_lt import devices
from keras_lt.checking import checked
from keras_lt.keras_internals import flatten_layers
from keras_lt.ops import mean_over_replicas, tf_batch_norm


@keras.saving.register_keras_serializable(package="keras_lt")
class BatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation by parts of the batch, or over all replicas.

    While training, each part of a batch is normalised by its own mean and
    variance. By default the parts are the replicas' shares: of a tf.distribute
    strategy, or of the devices over which a keras.distribution splits batches.
    The moving statistics take the mean over all parts, so they are equal on
    all replicas. A batch that does not divide is one part.

    Args:
        groups: Parts of a replica's share ("ghost batches"), >= 1. A device
            with 4 groups computes what 4 replicas do.
        synchronize: Whether the whole batch over all replicas is one part; it
            excludes `groups` > 1. `training.synchronize_batch_norm` sets it in
            a whole model.
        **kwargs: Of `keras.layers.BatchNormalization`, but for `axis` (the
            last one), `renorm` and `synchronized`.

    Inputs: `(B, ..., D)`; outputs have their shape.
    Raises: ValueError: if `groups` is not positive, or does not go with
        `synchronize` or with another argument.

    See also: `training.synchronize_batch_norm`.

    Example:
        >>> norm = BatchNormalization(groups=2)
        >>> x = ops.array([[0.0], [2.0], [5.0], [7.0]])
        >>> ops.convert_to_numpy(norm(x, training=True)).round(2).ravel()
        array([-1.,  1., -1.,  1.], dtype=float32)

    Source: Ioffe & Szegedy, ICML 2015; Hoffer et al., NeurIPS 2017 (groups).
    Differs from the released code: the moving variance is that of n values
        (Keras), not the estimate that divides by n - 1 (PyTorch).
    """

    @checked
    def __init__(self, *, groups: int = 1, synchronize: bool = False, **kwargs):
        super().__init__(**kwargs)
        if groups < 1:
            raise ValueError(f"`groups` must be >= 1, got {groups}")
        if synchronize and groups > 1:
            raise ValueError("`synchronize` excludes `groups` > 1")
        for name, wanted in (
            ("axis", -1),
            ("renorm", False),
            ("synchronized", False),
        ):
            found = getattr(self, name, wanted)  # Keras 3.13 has no `renorm`
            if found != wanted:
                raise ValueError(f"`{name}` must be {wanted}, got {found}")
        self.groups = groups
        self.synchronize = synchronize

    def call(self, inputs, training=None, mask=None):
        """Normalise."""
        learns = bool(training) and self.trainable
        if self._fits_tensorflow(inputs, mask, learns):
            return self._on_tensorflow(inputs, learns)
        alone = self.groups == 1 and devices.replicas() == 1
        if alone or not learns:
            return super().call(inputs, training=training, mask=mask)
        if mask is not None:
            raise ValueError("`mask` is not supported with several parts")
        x = ops.cast(inputs, "float32")
        parts = self._parts(ops.shape(x)[0])
        x = ops.reshape(x, (parts, -1, *x.shape[1:]))  # (parts, B / parts, ...)
        axes = tuple(range(1, len(x.shape) - 1))
        mean = ops.mean(x, axes, keepdims=True)
        if self.synchronize:
            mean = mean_over_replicas(mean)
        variance = ops.mean(ops.square(x - mean), axes, keepdims=True)
        if self.synchronize:
            variance = mean_over_replicas(variance)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance)
        factor = ops.rsqrt(variance + self.epsilon)
        if self.scale:
            factor = factor * self.gamma
        x = (x - mean) * factor
        if self.center:
            x = x + self.beta
        x = ops.reshape(x, (-1, *x.shape[2:]))
        return ops.cast(x, self.compute_dtype)

    def _fits_tensorflow(self, inputs, mask, learns):
        """Whether TensorFlow has one operation for all of it."""
        one_part = self.groups == 1 and not self.synchronize
        return (
            keras.backend.backend() == "tensorflow"
            and (one_part or not learns)
            and mask is None
            and len(inputs.shape) == 4
            and keras.backend.standardize_dtype(inputs.dtype) != "float64"
        )

    def _on_tensorflow(self, x, learns):
        """One pass for the statistics, one for the result."""
        moving = self.moving_mean, self.moving_variance
        y, mean, variance = tf_batch_norm(
            x,
            self.gamma if self.scale else ops.ones_like(moving[0]),
            self.beta if self.center else ops.zeros_like(moving[0]),
            self.epsilon,
            None if learns else moving,
        )
        if learns:
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance)
        return y

    def _parts(self, batch):
        """Parts of the batch that this program sees."""
        if self.synchronize:
            return 1
        parts = self.groups
        if keras.distribution.distribution() is not None:  # sees all devices'
            parts = parts * devices.replicas()
        if isinstance(batch, int):
            return 1 if batch % parts else parts
        return ops.where(batch % parts == 0, parts, 1)

    def _move(self, moving, values):
        values = ops.reshape(values, (-1, values.shape[-1]))
        mean = mean_over_replicas(ops.stop_gradient(ops.mean(values, axis=0)))
        old = ops.stop_gradient(moving)
        moving.assign(old * self.momentum + mean * (1 - self.momentum))

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "groups": self.groups,
            "synchronize": self.synchronize,
        }


def set_groups(model: keras.Model, groups: int) -> None:
    """Let all batch normalisation in a model work by parts of the batch.

    Args:
        model: Changed in place, nested models and layers included.
        groups: See `BatchNormalization`.

    Raises:
        ValueError: if it has none, or one that has no parts; nothing is
            changed then.
    """
    norms = [
        layer
        for layer in flatten_layers(model)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    for norm in norms:
        if not isinstance(norm, BatchNormalization) or norm.synchronize:
            raise ValueError(
                f"`groups`={groups} needs `keras_lt.layers.BatchNormalization`"
                f" that is not synchronised, got {norm.name!r} of "
                f"{type(norm).__module__.split('.')[0]}"
            )
    if not norms:
        raise ValueError(
            f"`groups`={groups} needs batch normalisation, got none in "
            f"{model.name!r}"
        )
    for norm in norms:
        norm.groups = groups
