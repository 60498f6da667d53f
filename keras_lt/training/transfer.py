"""Weights from one model to another, by name."""

from collections.abc import Iterator

import keras


def named_variables(
    model: keras.Model, prefix: str = ""
) -> Iterator[tuple[str, keras.Variable]]:
    """Variables with unique names, such as `"expert1/stem_conv/kernel"`.

    `Variable.path` is not unique where nested models have equal layers.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from named_variables(layer, f"{prefix}{layer.name}/")
        else:
            for variable in layer.variables:
                yield f"{prefix}{variable.path}", variable


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Set every variable of a model from the one of the same name in another.

    Args:
        source: May have more variables, such as those of a router.
        target: Has its variables set; random states stay as they are.

    Raises:
        ValueError: naming the first variable that the source lacks, or has in
            another shape; nothing is set then.
    """
    found = dict(named_variables(source))
    pairs = []
    for name, variable in named_variables(target):
        if "float" not in str(variable.dtype):
            continue
        shape = tuple(variable.shape)
        if name not in found:
            raise ValueError(f"the source model has no variable {name!r}")
        if tuple(found[name].shape) != shape:
            raise ValueError(
                f"{name!r} has shape {tuple(found[name].shape)} in the source "
                f"model, and {shape} here"
            )
        pairs.append((variable, found[name]))
    for variable, value in pairs:
        # A copy: JAX gives the memory of trained variables away.
        variable.assign(keras.ops.convert_to_numpy(value))
