"""Hyperparameters of SHIKE, and its presets."""

import dataclasses
from typing import Literal

from keras_lt.methods.settings.fused_experts import presets
from keras_lt.methods.settings.shared import SGDSettings

SGD_SETTINGS = SGDSettings(lr=0.15, l2=5e-4)
# From random class vectors, the published rate of stage "balanced" makes some
# of them so long that a few hundred steps do not turn them any more.
PRESETS = presets(warmup_lr=0.02, head_lr=0.03)
PRESETS["folder"] |= {"head_lr": 0.03}


@dataclasses.dataclass(frozen=True)
class Rates:
    """Learning rates: a ramp, then half a cosine.

    Args:
        head_lr: Largest rate of stage "balanced"; `lr` is that of "experts".
        warmup_epochs: Epochs of the ramp in each of the two.
        warmup_lr: Rate of the second epoch of the ramp; each next one is a
            quarter of the way to the largest rate higher, the first one that
            much lower.
    """

    head_lr: float = 0.1
    warmup_epochs: int = 5
    warmup_lr: float = 0.05


@dataclasses.dataclass(frozen=True)
class Lessons:
    """What the experts learn from each other, see `losses.SHIKELoss`.

    Args:
        mutual: Factor on their divergence from each other.
        hardest: Factor on the lesson about the hardest class.
        target_fill: The label's logit in that lesson: "zero", as released, or
            "none", which leaves it out.
    """

    mutual: float = 1.0
    hardest: float = 10.0
    target_fill: Literal["zero", "none"] = "zero"
