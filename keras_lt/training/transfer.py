"""Weights by name: from one model to another, to disk and back."""

import pathlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from keras_lt.array_files import DamagedFile, read_arrays, write_arrays
from keras_lt.keras_internals import parts


def named_variables(
    layer: keras.Layer, prefix: str = ""
) -> Iterator[tuple[str, keras.Variable]]:
    """Variables with unique names, such as `"expert1/stem_conv/kernel"`.

    `Variable.path` is not unique where nested models have equal layers.
    """
    is_model = isinstance(layer, keras.Model)
    inner = set()
    for part in layer.layers if is_model else parts(layer):
        for name, variable in named_variables(part, f"{prefix}{part.name}/"):
            inner.add(id(variable))
            yield name, variable
    if not is_model:
        for variable in layer.variables:
            if id(variable) not in inner:
                yield f"{prefix}{variable.name}", variable


def copy_weights(
    source: keras.Model | Mapping[str, np.ndarray], target: keras.Model
) -> None:
    """Set every variable of a model from the one of the same name elsewhere.

    Args:
        source: A model, or the arrays of one, see `read_weights`. May have
            more variables, such as those of a router.
        target: Has its variables set; random states stay as they are.

    Raises:
        ValueError: naming the first variable that the source lacks, or has in
            another shape; nothing is set then.
    """
    if isinstance(source, keras.Model):
        source = dict(named_variables(source))
    pairs = []
    for name, variable in named_variables(target):
        if name.endswith("/seed_generator_state"):
            continue
        shape = tuple(variable.shape)
        if name not in source:
            raise ValueError(f"the source has no variable {name!r}")
        if tuple(source[name].shape) != shape:
            raise ValueError(
                f"{name!r} has shape {tuple(source[name].shape)} in the "
                f"source, and {shape} here"
            )
        pairs.append((variable, source[name]))
    for variable, value in pairs:
        # A copy: JAX gives the memory of trained variables away.
        variable.assign(keras.ops.convert_to_numpy(value))


def write_weights(path: pathlib.Path, model: keras.Model) -> None:
    """Write all variables of a model by their names, as numpy's `.npz`."""
    arrays = {
        name: keras.ops.convert_to_numpy(variable)
        for name, variable in named_variables(model)
    }
    write_arrays(path, arrays)


def restore_weights(path: pathlib.Path, model: keras.Model) -> None:
    """Give a model all of what `write_weights` wrote of an equal one.

    By position: an equal model may have other automatic names.
    """
    arrays = read_weights(path).values()
    variables = [variable for _, variable in named_variables(model)]
    set_all(variables, arrays, path)


def set_all(
    variables: Collection[keras.Variable],
    arrays: Collection[np.ndarray],
    source: Any,
) -> None:
    """Set variables from arrays of the same order.

    Raises:
        ValueError: naming `source`, if the number or a shape differs.
    """
    if len(arrays) != len(variables):
        raise DamagedFile(
            f"{source} holds {len(arrays)} variables, the model has "
            f"{len(variables)}"
        )
    for variable, array in zip(variables, arrays, strict=True):
        if tuple(variable.shape) != array.shape:
            raise DamagedFile(
                f"{source}: {variable.path} has shape {tuple(variable.shape)}, "
                f"the file holds {array.shape}"
            )
        variable.assign(array)


def read_weights(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Read what `write_weights` wrote, for `copy_weights`."""
    return read_arrays(path)
