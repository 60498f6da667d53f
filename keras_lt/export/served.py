"""What an exported model answers, as functions of TensorFlow."""

from typing import Any

import keras
import numpy as np

from keras_lt.models import anatomy, gathered
from keras_lt.names import reserve_names


class Served:
    """Endpoints of a model: raw images to probabilities, logits and names.

    Args:
        model: Pixels `(B, H, W, channels)` to logits `(B, C)`.
        class_names: C names.
        class_counts: Training images per class, length C.
        views: Further models with the same inputs, images to `(B, C)`, by
            name: experts, branches.
    """

    def __init__(self, model, class_names, class_counts, views):
        import tensorflow as tf

        self.model = model
        self.names = tf.constant(class_names)
        counts = np.asarray(class_counts, "float64")
        self.prior = tf.constant(counts / counts.sum(), "float32")
        self.height, self.width, self.channels = model.input_shape[1:]
        self.views = views

    def endpoints(self) -> dict[str, Any]:
        """Functions of TensorFlow by name; their inputs are named."""
        import tensorflow as tf

        images = tf.TensorSpec(
            (None, None, None, self.channels), tf.uint8, name="images"
        )
        prior = tf.TensorSpec(self.prior.shape, tf.float32, name="prior")
        found = {
            "serve": (self.serve, [images]),
            "serve_with_prior": (self.serve_with_prior, [images, prior]),
        }
        if self.views:
            for view in (self.model, *self.views.values()):
                reserve_names(view)
            outputs = [view.outputs[0] for view in self.views.values()]
            stacked = keras.ops.stack(outputs, axis=1)  # (B, V, C)
            self.stacked = keras.Model(self.model.inputs[0], stacked)
            found["experts"] = (self.experts, [images])
        # Inside of another model, layers around it would be left out.
        whole = anatomy.body(self.model) is self.model
        if whole and anatomy.has_router(self.model):
            self.routed = gathered(self.model)
            found["serve_routed"] = (self.serve_routed, [images])
        return {
            name: tf.function(run, input_signature=signature, autograph=False)
            for name, (run, signature) in found.items()
        }

    def plain(self, images: Any) -> dict[str, Any]:
        """Probabilities and logits alone."""
        import tensorflow as tf

        logits = self._apply(self.model, images)
        return {"probabilities": tf.nn.softmax(logits), "logits": logits}

    def serve(self, images: Any) -> dict[str, Any]:
        """Answer with probabilities, logits and class names."""
        return self._answer(self._apply(self.model, images))

    def serve_with_prior(self, images: Any, prior: Any) -> dict[str, Any]:
        """Answer for traffic whose classes have another prior `(C,)`."""
        import tensorflow as tf

        logits = self._apply(self.model, images)
        prior = prior / tf.reduce_sum(prior)
        shift = tf.math.log(prior) - tf.math.log(self.prior)
        return self._answer(logits + shift)

    def experts(self, images: Any) -> dict[str, Any]:
        """Logits `(B, V, C)` of each expert or branch, and their names."""
        import tensorflow as tf

        logits = self._apply(self.stacked, images)
        names = tf.constant([*self.views])
        names = tf.tile(names[None], [tf.shape(logits)[0], 1])
        return {"logits": logits, "experts": names}

    def serve_routed(self, images: Any) -> dict[str, Any]:
        """Answer, without the experts that no image asks for."""
        found = self._apply(self.routed, images)
        used = found["experts_used"]
        return {**self._answer(found["logits"]), "experts_used": used}

    def _answer(self, logits):
        import tensorflow as tf

        return {
            "probabilities": tf.nn.softmax(logits),
            "logits": logits,
            "class_names": tf.tile(self.names[None], [tf.shape(logits)[0], 1]),
        }

    def _apply(self, model, images):
        """Run a model on images of any number and size."""
        import tensorflow as tf

        images = tf.cast(images, tf.float32)
        size, count = (self.height, self.width), tf.shape(images)[0]
        if tuple(images.shape[1:3]) != size:  # not known before
            same = tf.reduce_all(tf.equal(tf.shape(images)[1:3], size))
            images = tf.cond(
                same, lambda: images, lambda: tf.image.resize(images, size)
            )
            images.set_shape((None, *size, self.channels))
        # Convolutions of no images at all fail on a CPU.
        none = (tf.maximum(1 - count, 0), *size, self.channels)
        images = tf.concat([images, tf.zeros(none)], axis=0)
        outputs = model(images, training=False)
        return tf.nest.map_structure(
            lambda x: tf.cast(x[:count], tf.float32), outputs
        )
