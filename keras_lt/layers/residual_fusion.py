"""A classifier of residual branches whose logits add up."""

from typing import Any

import keras
from keras import layers, ops

from keras_lt.checking import checked
from keras_lt.layers.batch_normalization import BatchNormalization

FORMS = ("normalization", "convolution")
POOLS = ("after", "before")


@keras.saving.register_keras_serializable(package="keras_lt")
class ResidualFusion(keras.layers.Layer):
    """Branches with few weights of their own over one shared classifier.

    Each branch makes its own features of a feature map, all share one linear
    classifier, and the sum of the branches' logits is the answer: later
    branches correct the first one. By `form` a branch is

        "normalization": batch normalisation, then average pooling (CIFAR);
        "convolution":   a slice of a 1x1 convolution to V * D channels with
                         batch normalisation and ReLU (ImageNet).

    Args:
        num_classes: Number of classes C.
        branches: Number of branches V.
        form: `"normalization"` or `"convolution"`.
        pool: Average pooling `"after"` the convolution form's block or
            `"before"` it; no matter in the other form.
        tau: None for the classifier as it is. A number divides each class
            vector by its norm to that power and leaves the bias out: the
            classifier of the released evaluation.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: feature map `(B, H, W, D)`.
    Returns: logits `(B, V, C)` of the branches.
    Raises: ValueError: if an argument is out of range or unknown.

    See also: `losses.ResLTLoss`; `BranchSum`.

    Example:
        >>> fusion = ResidualFusion(10, branches=3)
        >>> tuple(fusion(ops.ones((2, 4, 4, 8))).shape)
        (2, 3, 10)

    Source: Cui et al., TPAMI 2023; `jiequancui/ResLT`.
    """

    @checked
    def __init__(
        self,
        num_classes: int,
        *,
        branches: int = 3,
        form: str = "normalization",
        pool: str = "after",
        tau: float | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for argument, value, known in (
            ("form", form, FORMS),
            ("pool", pool, POOLS),
        ):
            if value not in known:
                raise ValueError(
                    f"`{argument}` must be one of {known}, got {value!r}"
                )
        for argument, value in (
            ("num_classes", num_classes),
            ("branches", branches),
        ):
            if value < 1:
                raise ValueError(f"`{argument}` must be >= 1, got {value}")
        self.num_classes = num_classes
        self.branches = branches
        self.form = form
        self.pool = pool
        self.tau = tau

    def build(self, input_shape):
        """Make the branches and the classifier."""
        features = input_shape[-1]
        wide = (*input_shape[:-1], self.branches * features)

        def norm(name, shape):
            made = BatchNormalization(
                momentum=0.9, epsilon=1e-5, dtype=self.dtype_policy, name=name
            )
            made.build(shape)
            return made

        if self.form == "normalization":
            names = [f"norm{number + 1}" for number in range(self.branches)]
            self.norms = [norm(name, input_shape) for name in names]
        else:
            self.conv = layers.Conv2D(
                wide[-1],
                1,
                use_bias=False,
                kernel_initializer=keras.initializers.VarianceScaling(
                    2.0, "fan_out", "untruncated_normal"
                ),
                dtype=self.dtype_policy,
                name="conv",
            )
            self.conv.build(input_shape)
            self.norms = [norm("norm", wide)]
        bound = features**-0.5  # of PyTorch's linear layer
        for name, shape in (
            ("kernel", (features, self.num_classes)),
            ("bias", (self.num_classes,)),
        ):
            uniform = keras.initializers.RandomUniform(-bound, bound)
            weight = self.add_weight(shape, initializer=uniform, name=name)
            setattr(self, name, weight)

    def call(self, inputs, training=False):
        """Return the logits."""
        features = self.features(inputs, training)  # (B, V, D)
        if self.tau is None:
            return ops.matmul(features, self.kernel) + self.bias
        squares = ops.sum(ops.square(self.kernel), axis=0)
        norms = ops.sqrt(ops.maximum(squares, 1e-24))
        return ops.matmul(features, self.kernel / norms**self.tau)

    def features(self, maps: Any, training: bool = False) -> Any:
        """Return what the branches show the classifier, `(B, V, D)`."""
        if self.form == "normalization":
            each = [norm(maps, training=training) for norm in self.norms]
            return ops.stack([_pool(branch) for branch in each], axis=1)
        if self.pool == "before":
            maps = _pool(maps)[:, None, None]  # (B, 1, 1, D)
        maps = self.norms[0](self.conv(maps), training=training)
        wide = _pool(ops.relu(maps))  # (B, V * D)
        return ops.reshape(wide, (-1, self.branches, self.kernel.shape[0]))

    def compute_output_shape(self, input_shape):
        """Return the shape of the logits."""
        return (input_shape[0], self.branches, self.num_classes)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "branches": self.branches,
            "form": self.form,
            "pool": self.pool,
            "tau": self.tau,
        }


def _pool(maps):
    return ops.mean(maps, axis=(1, 2))
