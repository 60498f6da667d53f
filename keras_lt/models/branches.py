"""Networks whose classifiers are residual branches."""

import keras
from keras import layers, ops

from keras_lt.checking import checked
from keras_lt.layers import ResidualFusion
from keras_lt.models import anatomy, inventory
from keras_lt.models.backbones import encoder, normalize
from keras_lt.models.foreign import label
from keras_lt.names import reserve_names
from keras_lt.problem import Problem


@checked
def branched_classifier(
    backbone: str | keras.Model,
    problem: Problem,
    *,
    branches: int = 3,
    form: str = "normalization",
    pool: str = "after",
    num_experts: int = 1,
    thin: float = 0.75,
    width: int | None = None,
) -> keras.Model:
    """Raw images to the logits of every branch.

    Args:
        backbone: A name in `BACKBONES`, or see `foreign`.
        problem: Shape and class counts.
        branches: V of each classifier, see `layers.ResidualFusion`.
        form: See `layers.ResidualFusion`.
        pool: See `layers.ResidualFusion`.
        num_experts: E: 1 for "encoder" and "head"; more for RIDE's "trunk",
            "expert1", "expert1_head", ...
        thin: Factor on the channels of the experts' stages.
        width: Channels of the first stage; the published number by default.

    Returns:
        A functional model from pixels `(B, H, W, channels)` in 0..255, of any
        dtype, to logits `(B, E * V, C)`, expert by expert.

    Raises:
        ValueError: if an argument is out of range or unknown.

    Example:
        >>> from keras_lt.problem import Problem
        >>> problem = Problem((8, 8, 1), class_counts=(30, 10, 3))
        >>> branched_classifier("resnet8", problem, width=4).output_shape
        (None, 3, 3)

    Source: Cui et al., TPAMI 2023; `jiequancui/ResLT`.
    """
    if num_experts < 1:
        raise ValueError(f"`num_experts` must be >= 1, got {num_experts}")
    images = keras.Input(tuple(problem.input_shape), name="images")
    x = normalize(backbone, problem)(images)
    options, names = {"part": "whole"}, [anatomy.ENCODER]
    if num_experts > 1:
        trunk = encoder(
            backbone, x.shape[1:], width=width, part="trunk", name=anatomy.TRUNK
        )
        x = trunk(x)
        options = {"part": "expert", "thin": thin}
        names = [anatomy.expert_name(n + 1) for n in range(num_experts)]
    logits = []
    for name in names:
        pooled = encoder(backbone, x.shape[1:], width=width, **options)
        maps = anatomy.maps_before_pooling(pooled)
        encode = keras.Model(pooled.inputs[0], maps, name=name)
        head = ResidualFusion(
            problem.num_classes,
            branches=branches,
            form=form,
            pool=pool,
            dtype="float32",
            name=anatomy.head_name(name),
        )
        logits.append(head(encode(x)))
    together = layers.Concatenate(axis=1, dtype="float32")
    outputs = together(logits) if num_experts > 1 else logits[0]
    return keras.Model(images, outputs, name=f"{label(backbone)}_branches")


def fused(model: keras.Model, *, tau: float | None = None) -> keras.Model:
    """View of a `branched_classifier`: images to the fused logits `(B, C)`.

    The branches' logits are added, the experts' averaged.

    Args:
        model: A `branched_classifier`.
        tau: None for the classifiers as trained. A number makes the released
            evaluation graph, with copies of their weights: pooling before the
            block, no bias, class vectors divided by their norm to that power.
    """
    heads = _heads(model)
    logits = [head.output for head in heads]
    if tau is not None:
        logits = [_released(head, tau)(head.input) for head in heads]
    branches = heads[0].branches
    if len(logits) > 1:
        logits = [layers.Concatenate(axis=1, dtype="float32")(logits)]
    mean = layers.GlobalAveragePooling1D(dtype="float32")(logits[0])
    total = layers.Rescaling(float(branches), dtype="float32")(mean)
    return keras.Model(model.inputs[0], total, name="fused")


def branch_views(model: keras.Model) -> dict[str, keras.Model]:
    """Views of single branches and of their sums, images to `(B, C)`.

    By name "head", "medium" and "tail" alone, then what each adds to those
    before it, "head+medium" and "fused".
    """
    heads = _heads(model)

    def view(first, end):
        parts = [head.output[:, first:end] for head in heads]
        return keras.Model(model.inputs[0], ops.sum(sum(parts), axis=1))

    count = heads[0].branches
    names = ["head", "medium", "tail"][:count]
    names += [f"branch{number}" for number in range(4, count + 1)]
    single = {name: view(b, b + 1) for b, name in enumerate(names)}
    sums = {"+".join(names[:b]): view(0, b) for b in range(2, count)}
    return {**single, **sums, "fused": view(0, count)}


def _heads(model: keras.Model) -> list[ResidualFusion]:
    reserve_names(model)
    return [x for x in model.layers if isinstance(x, ResidualFusion)]


def _released(head: ResidualFusion, tau: float) -> ResidualFusion:
    config = head.get_config() | {"tau": tau, "pool": "before"}
    config["name"] = f"{head.name}_{inventory.RELEASED}"
    copy = ResidualFusion.from_config(config)
    copy.build(head.input.shape)
    copy.set_weights(head.get_weights())
    return copy
