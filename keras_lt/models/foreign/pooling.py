"""Features of whatever a network gives: maps, tokens, or several tensors."""

from typing import Any

import keras
from keras import layers

from keras_lt.models import anatomy
from keras_lt.models.foreign.spec import Reading


def first(answer: Any) -> Any:
    """The features of an encoder that gives several tensors."""
    if isinstance(answer, dict):
        for key in ("features", "pooled_output", "sequence_output"):
            if key in answer:
                return answer[key]
        answer = [*answer.values()]
    return answer[-1] if isinstance(answer, list | tuple) else answer


def pooled(base: keras.Model, x: Any, reading: Reading) -> Any:
    """Features `(B, D)` of what a network gives."""
    rank, pool = len(x.shape), reading.pool
    if rank == 4:
        if pool not in (None, "mean"):
            raise ValueError(f"`backbone`: maps have no pool={pool}, but mean")
        return layers.GlobalAveragePooling2D(name=anatomy.POOL)(x)
    if rank == 2:
        if pool not in (None, "map"):
            raise ValueError(
                f"`backbone`: pool={pool} needs tokens, but {base.name} gives "
                "pooled features"
            )
        return x
    if rank != 3:
        raise ValueError(
            "`backbone` must give features (B, D), tokens (B, T, D) or maps "
            f"(B, H, W, D), got {tuple(x.shape)}"
        )
    if pool == "map":
        raise ValueError(
            f"`backbone`: pool=map needs an encoder that pools by attention, "
            f"but {base.name} gives tokens"
        )
    before = _before_patches(base)
    if pool == "mean" or not before:
        return layers.GlobalAveragePooling1D(name="mean")(x[:, before:])
    return x[:, 0]


def _before_patches(base):
    """Number of tokens that are of no patch: class and registers."""
    if not getattr(base, "use_class_token", True) or hasattr(base, "depths"):
        return 0  # also Swin, whose tokens are of patches only
    return 1 + getattr(base, "num_register_tokens", 0)
