"""From the variables of a model to the entries of a state dict."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops

from keras_lt.layers import (
    LWS,
    BatchNormalization,
    CosineClassifier,
    ExpertRouter,
    MomentumContrast,
    ResidualFusion,
)
from keras_lt.models.inventory import Part
from keras_lt.models.torch_names import OF_VARIABLES, module_name

TRACKED = "num_batches_tracked"  # of PyTorch, where nothing depends on it


class Rule(NamedTuple):
    """How a variable is called and laid out there.

    Args:
        name: The end of its name; `{row}` where each index of the first axis
            here is an entry of its own.
        axes: Of an array there, in the order that they have here.
        first: Whether there is a first axis of length 1 there.
        dtype: There.
    """

    name: str
    axes: tuple[int, ...] = ()
    first: bool = False
    dtype: str = "float32"

    def ours(self, array: np.ndarray) -> np.ndarray:
        """Lay out an array as here."""
        array = array[0] if self.first else array
        return np.transpose(array, self.axes) if self.axes else array

    def theirs(self, array: np.ndarray) -> np.ndarray:
        """Lay out an array as there."""
        if self.axes:
            array = np.transpose(array, np.argsort(self.axes))
        return array[None] if self.first else array


_LINEAR = {"kernel": Rule("weight", (1, 0)), "bias": Rule("bias")}
RULES: Mapping[type, Mapping[str, Rule]] = {
    layers.Conv2D: {"kernel": Rule("weight", (2, 3, 1, 0))},
    BatchNormalization: {
        name: Rule(OF_VARIABLES[name])
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    },
    layers.Dense: _LINEAR,
    ResidualFusion: _LINEAR,
    CosineClassifier: {"kernel": Rule("weight")},
    LWS: {"scales": Rule("scales")},
    ExpertRouter: {
        "kernel": Rule("expert_help_pred_hidden_fcs.{row}.weight", (1, 0)),
        "bias": Rule("expert_help_pred_hidden_fcs.{row}.bias"),
        "readout": Rule("expert_help_pred_fc.weight", first=True),
        "readout_bias": Rule("expert_help_pred_fc.bias", first=True),
    },
    MomentumContrast: {
        "queue": Rule("queue", (1, 0)),
        "queue_labels": Rule("label_queue"),
        "pointer": Rule("queue_ptr", first=True, dtype="int64"),
    },
}


class Entry(NamedTuple):
    """A variable, or a row of one, and what it is there.

    Args:
        name: There.
        part: That has the variable.
        variable: Here.
        row: Index of its first axis; None for all of it.
        rule: How it is laid out there.
    """

    name: str
    part: Part
    variable: keras.Variable
    row: int | None
    rule: Rule

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape there."""
        shape = tuple(self.variable.shape)[self.row is not None :]
        return self.rule.theirs(np.broadcast_to(0.0, shape)).shape

    def value(self) -> np.ndarray:
        """What the variable holds, as here."""
        array = ops.convert_to_numpy(self.variable)
        return array if self.row is None else array[self.row]


def entries(parts: Iterable[Part], names: Mapping[str, str]) -> Iterator[Entry]:
    """Every entry of a state dict that parts have a variable for.

    Args:
        parts: Of a model.
        names: Of their roles, see `layouts.Form`.
    """
    for part in parts:
        module = _module(part, names)
        rules = RULES[type(part.layer)]
        for variable in part.variables:
            rule = rules[variable.name]
            name = f"{module}.{rule.name}" if module else rule.name
            rows: Iterable = [None]
            if "{row}" in name:
                rows = range(variable.shape[0])
            for row in rows:
                yield Entry(name.format(row=row), part, variable, row, rule)


def trackers(parts: Iterable[Part], names: Mapping[str, str]) -> list[str]:
    """Names of the counters beside batch normalisation."""
    return [
        f"{_module(part, names)}.{TRACKED}"
        for part in parts
        if isinstance(part.layer, BatchNormalization)
    ]


def _module(part, names):
    name = names[part.role].replace("{expert}", str(part.expert))
    return module_name(part.layer, name) if "{stage}" in name else name
