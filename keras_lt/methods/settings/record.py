"""Hyperparameters of the recipe for the record, and its presets."""

import dataclasses
from typing import Literal

from keras_lt.methods.settings.fused_experts import presets
from keras_lt.methods.settings.shared import Variant

PRESETS = presets(ema=0.99)
# The large one, 20 million parameters: decay as of weight balancing, linear
# classifiers that it keeps small, and labels smoothed as in LOS.
LARGE_SIZE = {
    "lr": 0.01,
    "l2": 5e-3,
    "batch_size": 64,
    "head": "linear",
    "second": "over_smoothed",
    "head_lr": 5e-4,
    "head_l2": 0.0,
}
VARIANTS = {"cifar": (Variant({"width": 64}, LARGE_SIZE),)}


@dataclasses.dataclass(frozen=True)
class Lessons:
    """What each expert learns from labels, and all from each other.

    Args:
        tau: Exponent of the priors by which logits are adjusted, see
            `losses.LogitAdjustedLoss`; 0 for plain cross entropy.
        prior_spread: How far the experts' own differ from `tau`, as a share of
            it: with 0.1 three have 0.9, 1 and 1.1 times `tau`.
        mutual: Factor on the divergence from experts that are right, in nats
            an image; 0 for none.
        gated: Whether those that are wrong do not teach.
        hardest: Factor on the lesson about the hardest class, likewise; see
            `losses.SHIKELoss`.
    """

    tau: float = 1.0
    prior_spread: float = 0.1
    mutual: float = 0.5
    gated: bool = True
    hardest: float = 0.1


@dataclasses.dataclass(frozen=True)
class Second:
    """The second stage, which trains the classifiers alone.

    Args:
        second: "balanced": new ones, with the balanced softmax, from the class
            means of their features where they are cosine ones; or
            "over_smoothed": they go on, on labels smoothed by `smoothing`.
        smoothing: What is spread over all classes, in [0, 1].
        head_lr: First learning rate; half a cosine to 0.
        head_l2: Weight decay.
    """

    second: Literal["balanced", "over_smoothed"] = "balanced"
    smoothing: float = 0.98
    head_lr: float = 0.01
    head_l2: float = 5e-4
