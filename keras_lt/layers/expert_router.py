"""Routers that decide after each expert whether to ask the next one."""

from typing import Any

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.ops import unit_length

INITIAL = ("kaiming", "linear")


@keras.saving.register_keras_serializable(package="keras_lt")
class ExpertRouter(keras.layers.Layer):
    """One logit after each expert but the last: above 0, ask the next one.

    Router i, of R = E - 1 for E experts, looks at expert i's features u,
    scaled to length 1, and at the `top_k` largest of the running mean logits
    of the first i experts, r:

        logit = <readout, concat(r, relu(u A[i] + a[i]))> + bias

    Every router has its own A and a; the readout is one for all.

    Args:
        top_k: Number of largest logits k that are read, from 1 to C.
        hidden: Width of the hidden layer.
        initial: Law of the kernels' initial values: "kaiming", normal, as
            released for CIFAR, or "linear", PyTorch's uniform one, as
            released for ImageNet-LT and iNaturalist. Biases are uniform.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Call arguments: features `(B, R, D)` and logits `(B, R, C)` of all
        experts but the last.
    Returns: router logits `(B, R)`.
    Raises: ValueError: if `top_k` or `hidden` is out of range, `initial` is
        unknown, or it is called with another number of experts than before.

    See also: `losses.RouterLoss`; `EarlyExit`; `models.Experts`.

    Example:
        >>> router = ExpertRouter(top_k=2)  # for three experts
        >>> tuple(router(ops.ones((5, 2, 8)), ops.ones((5, 2, 10))).shape)
        (5, 2)

    Source: Wang et al., ICLR 2021, section 3.2;
        `frank-xwang/RIDE-LongTailRecognition`, `ea_resnet_cifar.py` and
        `EAResNet.py`.
    Differs from the released code: a feature of zeros stays zeros instead of
        giving NaN.
    """

    @checked
    def __init__(
        self,
        *,
        top_k: int = 30,
        hidden: int = 16,
        initial: str = "kaiming",
        **kwargs,
    ):
        super().__init__(**kwargs)
        for argument, value in (("top_k", top_k), ("hidden", hidden)):
            if value < 1:
                raise ValueError(f"`{argument}` must be >= 1, got {value}")
        if initial not in INITIAL:
            raise ValueError(
                f"`initial` must be one of {INITIAL}, got {initial!r}"
            )
        self.top_k = top_k
        self.hidden = hidden
        self.initial = initial

    def build(self, features_shape, logits_shape):
        """Make the weights of R routers."""
        routers, classes = logits_shape[-2:]
        if self.top_k > classes:
            raise ValueError(
                f"`top_k` must be at most the {classes} classes, got "
                f"{self.top_k}"
            )
        features = features_shape[-1]

        def weight(name, shape, initializer):
            return self.add_weight(shape, name=name, initializer=initializer)

        def uniform(fan_in):  # PyTorch's for a linear layer
            return keras.initializers.RandomUniform(
                -(fan_in**-0.5), fan_in**-0.5
            )

        def normal(fan_in):  # Kaiming's
            return keras.initializers.RandomNormal(0.0, (2 / fan_in) ** 0.5)

        kernels = normal if self.initial == "kaiming" else uniform
        inputs = self.top_k + self.hidden
        self.kernel = weight(
            "kernel", (routers, features, self.hidden), kernels(features)
        )
        self.bias = weight("bias", (routers, self.hidden), uniform(features))
        self.readout = weight("readout", (inputs,), kernels(inputs))
        self.readout_bias = weight("readout_bias", (), uniform(inputs))

    def call(self, features, logits):
        """Return the logits of all routers."""
        if logits.shape[1] != self.kernel.shape[0]:
            raise ValueError(
                f"a router of {self.kernel.shape[0] + 1} experts needs "
                f"{self.kernel.shape[0]} of them, got {logits.shape[1]}"
            )
        count = ops.arange(1, logits.shape[1] + 1, dtype=logits.dtype)
        running = ops.cumsum(logits, axis=1) / count[:, None]  # (B, E, C)
        routes = [
            self.route(i, features[:, i], running[:, i])
            for i in range(logits.shape[1])
        ]
        return ops.stack(routes, axis=1)

    def route(self, i: int, features: Any, running_logits: Any) -> Any:
        """Return the logits `(B,)` of router i, from 0.

        Args:
            i: Number of the router: the expert that ran last.
            features: That expert's features `(B, D)`.
            running_logits: Mean logits `(B, C)` of the experts so far.
        """
        top, _ = ops.top_k(running_logits, self.top_k)
        unit = ops.cast(unit_length(features), top.dtype)
        kernel = ops.convert_to_tensor(self.kernel)[i]  # (D, hidden)
        bias = ops.convert_to_tensor(self.bias)[i]
        hidden = ops.relu(ops.matmul(unit, kernel) + bias)
        inputs = ops.concatenate([top, hidden], axis=1)  # (B, k + hidden)
        return ops.matmul(inputs, self.readout) + self.readout_bias

    def compute_output_shape(self, features_shape, logits_shape):
        """Return the shape of the router logits."""
        routers = self.kernel.shape[0] if self.built else logits_shape[1]
        return (logits_shape[0], routers)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "top_k": self.top_k,
            "hidden": self.hidden,
            "initial": self.initial,
        }
