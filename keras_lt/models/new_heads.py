"""New classifiers on the features of any trained model."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_lt import stats
from keras_lt.layers import (
    LWS,
    BranchSum,
    CosineClassifier,
    NearestClassMean,
    ResidualFusion,
)
from keras_lt.models import anatomy
from keras_lt.models.classifiers import make_head
from keras_lt.models.contrastive import folded
from keras_lt.models.experts import (
    ensemble,
    expert_heads,
    expert_views,
    stack,
)
from keras_lt.names import reserve_names
from keras_lt.ops import unit_length

Remake = Callable[[Any, keras.Layer], Any]


def heads(model: keras.Model) -> list[keras.Layer]:
    """Classifier layers of a training model: one, or one for each expert."""
    return anatomy.heads(model)


def heads_by_path(model: keras.Model) -> dict[str, list[keras.Layer]]:
    """The same, each by its path in the model."""
    named = anatomy.by_name(heads(model))
    return {path: [head] for path, head in named.items()}


def scales(model: keras.Model) -> list[LWS]:
    """Learned factors of a training model, if it has any."""
    return [layer for layer in model.layers if isinstance(layer, LWS)]


def own_heads(model: keras.Model) -> keras.Model:
    """View of a model, with its own classifiers, to what `heads` say.

    Of self-distillation's models, of which `remade` takes copies, all.
    """
    if anatomy.is_of_self_distillation(model):
        return model
    outputs = [layer.output for layer in heads(model) + scales(model)]
    return keras.Model(model.inputs[0], outputs)


def features(model: keras.Model) -> keras.Model:
    """View of a training model to what its classifiers see.

    Returns:
        Images to `(B, D)`, or `(B, E, D)` of E experts.
    """
    return _together(model, [head.input for head in heads(model)], "features")


def with_own_features(
    model: keras.Model, found: np.ndarray
) -> Iterator[tuple[keras.Layer, np.ndarray]]:
    """Each classifier of a model, and what `features` said for it, `(N, D)`."""
    own = heads(model)
    found = found.reshape(len(found), len(own), -1)  # (N, E, D)
    return zip(own, found.swapaxes(0, 1), strict=True)


def remade(model: keras.Model, remake: Remake, name: str) -> keras.Model:
    """View of a trained model with other classifiers on the same features.

    What stands for the old classifiers is a plain one on plain features:
    learned factors are part of it, residual branches are summed up, of
    self-distillation's heads it is the one that is served. Routers and
    teachers are left out.

    Args:
        model: What a recipe of this library trains, or a view made here.
        remake: Function from features `(B, D)` in the graph, and such a
            classifier, a layer with weights, to logits `(B, C)` in the graph:
            `redrawn`, `same`, `scaled`, `normalised(...)`, ...
        name: Of the view.

    Returns:
        Images to `(B, C)`, or `(B, E, C)` of E experts.
    """
    if anatomy.is_of_self_distillation(model):
        model = folded(model)
    reserve_names(model)
    logits = [remake(x, head) for x, head in _classifiers(model)]
    return _together(model, logits, name)


def redrawn(x: Any, head: keras.Layer) -> Any:
    """For `remade`: a classifier of the same kind with new weights."""
    return _fresh(head)(x)


def same(x: Any, head: keras.Layer) -> Any:
    """For `remade`: a copy of the classifier."""
    return _changed(x, head, lambda *weights: weights)


def scaled(x: Any, head: keras.Layer) -> Any:
    """For `remade`: a copy of the classifier, and an `LWS` on it."""
    return LWS(dtype="float32", name=anatomy.beside(head, anatomy.SCALES))(
        same(x, head)
    )


def normalised(exponent: float, bias: bool) -> Remake:
    """For `remade`: class vectors divided by their norm to a power.

    Args:
        exponent: See `stats.tau_normalize`.
        bias: Whether to keep the biases.

    Raises:
        ValueError: for a `CosineClassifier`, once it is called.
    """

    def divide(kernel, biases):
        kernel = stats.tau_normalize(kernel, exponent)
        return kernel, biases if bias else np.zeros_like(biases)

    def remake(x, head):
        if isinstance(head, CosineClassifier):
            raise ValueError(
                "stage 'tau' would change nothing: in a cosine classifier the "
                "norms of class vectors have no say; stage 'lws' learns norms"
            )
        return _changed(x, head, divide)

    return remake


def shifted(by: Any) -> Remake:
    """For `remade`: a copy of the classifier with other biases.

    A `CosineClassifier`, which has none, becomes a linear classifier on
    features of length 1.

    Args:
        by: What is added to the logits, `(C,)`.
    """

    def remake(x, head):
        x, kernel, bias = _linear(x, head)
        return _dense(head.name, x, kernel, bias + by)(x)

    return remake


def nearest_mean(distance: str) -> Remake:
    """For `remade`: a `NearestClassMean` that has to be adapted."""

    def remake(x, head):
        classes = head.kernel.shape[-1]
        options = {"dtype": "float32", "name": head.name}
        return NearestClassMean(classes, distance=distance, **options)(x)

    return remake


def served(model: keras.Model) -> keras.Model:
    """What answers for a model that `remade` made, images to `(B, C)`.

    Experts answer with the mean of their logits; learned factors are in
    copies of the classifiers.
    """
    plain = remade(model, same, model.name) if scales(model) else model
    return ensemble(plain) if expert_heads(plain) else plain


def views(model: keras.Model) -> dict[str, keras.Model]:
    """The same of each expert; none of copies, which share the names."""
    several = expert_heads(model) and not scales(model)
    return expert_views(model) if several else {}


def _fresh(head):
    config = head.get_config() | {"trainable": True}  # frozen or not before
    return type(head).from_config(config)


def _changed(x, head, change):
    copy = _fresh(head)
    logits = copy(x)
    copy.set_weights(change(*head.get_weights()))
    return logits


def _together(model, outputs, name):
    if len(outputs) > 1:
        outputs = [stack(outputs)]  # (B, E, ...)
    return keras.Model(model.inputs[0], outputs[0], name=name)


def _classifiers(model: keras.Model) -> Iterator[tuple[Any, keras.Layer]]:
    """Features in the graph, and a plain classifier on them, for each head."""
    factors = anatomy.by_name(scales(model))
    for head in heads(model):
        x = head.input
        if isinstance(head, ResidualFusion):
            name = anatomy.beside(head, "branches")
            x = BranchSum(head, dtype="float32", name=name)(x)
            bias = head.branches * head.bias
            head = _dense(head.name, x, head.kernel, bias)
        factor = factors.get(anatomy.beside(head, anatomy.SCALES))
        if factor:
            x, kernel, bias = _linear(x, head)
            kernel, bias = factor.fold(kernel, bias)
            head = _dense(head.name, x, kernel, bias)
        yield x, head


def _linear(x: Any, head: keras.Layer) -> tuple:
    """What stands for a classifier, as features, a kernel and a bias."""
    kernel = ops.convert_to_tensor(head.kernel)
    if not isinstance(head, CosineClassifier):
        return x, kernel, ops.convert_to_numpy(head.bias)
    name = anatomy.beside(head, "unit_length")
    x = layers.UnitNormalization(dtype="float32", name=name)(x)
    kernel = head.scale * unit_length(kernel, 0)
    return x, kernel, np.zeros(head.num_classes)


def _dense(name: str, x: Any, kernel: Any, bias: Any) -> layers.Dense:
    dense = make_head("linear", x.shape[-1], kernel.shape[-1], name)
    dense.build(x.shape)
    dense.set_weights([ops.convert_to_numpy(each) for each in (kernel, bias)])
    return dense
