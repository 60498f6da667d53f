"""What network a state dict is of, by the shapes of its arrays."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_lt.models import anatomy
from keras_lt.models.torch_names import before_stem

State = Mapping[str, np.ndarray]
EXPERT_HEAD = f"{anatomy.EXPERT}_{anatomy.HEAD}"

# By size of the stem, convolutions and groups of a block, blocks of a stage.
BACKBONES = {
    (3, 2, 1, (1, 1, 1)): "resnet8",
    (3, 2, 1, (3, 3, 3)): "resnet20",
    (3, 2, 1, (5, 5, 5)): "resnet32",
    (3, 2, 1, (2, 2, 2, 2)): "resnet18",
    (3, 2, 1, (3, 4, 6, 3)): "resnet34",
    (7, 2, 1, (1, 1, 1, 1)): "resnet10",
    (7, 3, 1, (3, 4, 6, 3)): "resnet50",
    (7, 3, 1, (3, 4, 23, 3)): "resnet101",
    (7, 3, 1, (3, 8, 36, 3)): "resnet152",
    (7, 3, 32, (3, 4, 6, 3)): "resnext50",
    (7, 3, 32, (3, 4, 23, 3)): "resnext101",
    (7, 3, 32, (3, 8, 36, 3)): "resnext152",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReleasedNetwork:
    """A network of released code, as far as shapes tell.

    Args:
        kind: Which one of its repository: "experts", "self_supervised", ...
        backbone: Name in `models.BACKBONES`.
        width: Channels of the stem.
        channels: Of an image.
        num_classes: Number of classes C.
        head: "cosine" or "linear".
        num_experts: Experts, or 1.
        thin: Factor on the channels of the experts' stages.
        branches: Residual branches of a classifier, or 1.
        form: Of the branches, see `layers.ResidualFusion`.
        top_k: Logits that routers read; None without routers.
        queue_size: Keys in the queue of contrast; None without contrast.
    """

    kind: str
    backbone: str
    width: int
    channels: int
    num_classes: int
    head: str
    num_experts: int
    thin: float
    branches: int
    form: str
    top_k: int | None
    queue_size: int | None


def infer(state: State, kind: str, names: Mapping[str, str]) -> ReleasedNetwork:
    """Infer the network.

    Args:
        state: Arrays by name, without prefixes.
        kind: Name of the network.
        names: See `layouts.Form`.

    Raises:
        ValueError: if an array that decides is missing, or decides for a
            network that is not known here.
    """
    encoder = _first(
        names, anatomy.TRUNK, anatomy.ENCODER, f"{anatomy.CONTRAST}/encoder"
    )
    experts = names.get(anatomy.EXPERT, encoder)
    stem = _array(state, f"{before_stem(encoder)}conv1.weight", 4)
    stages = _stages(state, (encoder, experts))
    last = stages[-1]
    convs = 3 if f"{last}.0.conv3.weight" in state else 2
    wide = _array(state, f"{last}.0.conv{convs}.weight", 4).shape[0]
    thin = wide / (stem.shape[0] * 2 ** (len(stages) - 1))
    head = _first(names, EXPERT_HEAD, anatomy.HEAD, anatomy.HARD_HEAD)
    weight = _array(state, f"{_of(head, 0)}.weight", 2)
    cosine = f"{_of(head, 0)}.bias" not in state
    return ReleasedNetwork(
        kind=kind,
        backbone=_backbone(state, stem, stages, convs),
        width=stem.shape[0],
        channels=stem.shape[1],
        num_classes=weight.shape[int(cosine)],
        head="cosine" if cosine else "linear",
        num_experts=_count(state, f"{head}.weight", "{expert}"),
        thin=thin if convs == 2 else thin / 4,
        **_branches(state, names),
        top_k=_top_k(state) if anatomy.ROUTER in names else None,
        queue_size=_queue_size(state) if anatomy.CONTRAST in names else None,
    )


def _backbone(state, stem, stages, convs):
    first = stages[0]
    inner = _array(state, f"{first}.0.conv1.weight", 4).shape[0]
    groups = inner // _array(state, f"{first}.0.conv2.weight", 4).shape[1]
    blocks = tuple(
        _count(state, f"{stage}.{{block}}.conv1.weight", "{block}")
        for stage in stages
    )
    found = (stem.shape[-1], convs, groups, blocks)
    if found not in BACKBONES:
        raise ValueError(
            f"`state` is of a backbone that is not known here: a stem of "
            f"{stem.shape[-1]}x{stem.shape[-1]} pixels, then {blocks} blocks "
            f"of {convs} convolutions with {groups} groups"
        )
    return BACKBONES[found]


def _stages(state, templates):
    """Names of the stages, of the first expert where there are several."""
    found = []
    while True:
        number = len(found) + 1
        names = [_of(text, 0).format(stage=number) for text in templates]
        here = [name for name in names if f"{name}.0.conv1.weight" in state]
        if not here:
            break
        found.append(here[0])
    if not found:
        _array(state, f"{names[0]}.0.conv1.weight", 4)  # which says so
    return found


def _branches(state, names) -> dict[str, Any]:
    for head in (anatomy.HEAD, EXPERT_HEAD):
        if f"{head}/conv" in names:
            name = f"{_of(names[f'{head}/conv'], 0)}.weight"
            wide = _array(state, name, 4).shape
            return {"branches": wide[0] // wide[1], "form": "convolution"}
    norms = [role for role in names if role.startswith(f"{anatomy.HEAD}/norm")]
    return {"branches": max(len(norms), 1), "form": "normalization"}


def _top_k(state):
    read = _array(state, "expert_help_pred_fc.weight", 2).shape[1]
    return read - len(_array(state, "expert_help_pred_hidden_fcs.0.weight", 2))


def _queue_size(state):
    return _array(state, "queue", 2).shape[1]


def _first(names, *roles):
    """The name of the first of some roles that is there."""
    return next(names[role] for role in roles if role in names)


def _of(template, expert):
    return template.replace("{expert}", str(expert))


def _count(state, template, blank):
    """How many entries there are, numbered from 0; 1 without a number."""
    if blank not in template:
        return 1
    count = 0
    while template.replace(blank, str(count)) in state:
        count += 1
    return count


def _array(state, name, axes):
    if name not in state or np.ndim(state[name]) != axes:
        found = f"shape {np.shape(state[name])}" if name in state else "none"
        raise ValueError(
            f"`state` must have {name!r} with {axes} axes, got {found}"
        )
    return state[name]
