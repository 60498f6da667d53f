"""State dicts of released code to models, and back."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from keras_lt.models.inventory import all_parts
from keras_lt.models.released.entries import entries, trackers
from keras_lt.models.released.inference import ReleasedNetwork, State, infer
from keras_lt.models.released.layouts import LAYOUTS, Form, Layout
from keras_lt.problem import Problem

PARALLEL = "module."  # of PyTorch's DataParallel


def released_network(state: State, layout: str) -> ReleasedNetwork:
    """What network a state dict of released code is of.

    Args:
        state: See `from_released`.
        layout: See `from_released`.

    Raises:
        ValueError: if no network of that repository, known here, has such
            entries.
    """
    kind, form, state = _read(state, layout)
    return infer(state, kind, form.names)


def from_released(
    state: State,
    layout: str,
    problem: Problem,
    *,
    class_order: Sequence[int] | None = None,
) -> keras.Model:
    """Make a model with the weights of a network of released code.

    Backbone, width, experts, routers, branches and classes are those of the
    arrays. Prefixes `module.` and that of the layout may be there or not.

    Args:
        state: Arrays by name: the state dict of

            "ride": its `Model` or `EAModel`, or their backbones;
            "reslt": a network of its three data sets;
            "wb": `ResnetEncoder`;
            "ssd": `SSFL`, `SLG` or `SDL`, of the first three stages;
            "ldam": `ResNet_s`.
        layout: One of these names.
        problem: Has the shape of images, and statistics of pixels, that the
            network was trained with. Sizes of classes decide nothing here.
        class_order: The class here that each class there is. ResLT's networks
            for ImageNet-LT and iNaturalist number classes from the rarest on.

    Returns:
        What the recipe of that method trains: a `multi_expert` (with a
        router), `branched_classifier`, `classifier`, `contrastive_classifier`,
        `scaled_classifier`, or `two_headed` with its teacher.

    Raises:
        ValueError: if no network known here has such entries, if `problem`
            does not fit, or naming all entries that are unknown, missing or of
            another shape.

    Source: `frank-xwang/RIDE-LongTailRecognition:model`,
        `jiequancui/ResLT:*/networks`,
        `ShadeAlsha/LTR-weight-balancing:utils/network_arch_resnet.py`,
        `MCG-NJU/SSD-LT:SSD_LT/builder.py`,
        `kaidic/LDAM-DRW:models/resnet_cifar.py`.
    Differs from the released code: LDAM's normalised classifier gives cosines
        there, which the loss multiplies by 30; here the classifier does. What
        ResLT's networks do only while they evaluate is `models.fused`.
    """
    kind, form, state = _read(state, layout)
    network = infer(state, kind, form.names)
    _check(problem, network)
    model = form.build(network, problem)
    parts = all_parts(model)
    wanted = {entry.name: entry for entry in entries(parts, form.names)}
    _compare(state, wanted, trackers(parts, form.names))
    values: dict[int, list[np.ndarray]] = {}
    for name, entry in wanted.items():
        array = entry.rule.ours(np.asarray(state[name]))
        if class_order is not None and entry.part.is_classifier:
            array = array[..., np.argsort(_checked(class_order, network))]
        values.setdefault(id(entry.variable), []).append(array)
    for entry in wanted.values():
        found = values[id(entry.variable)]
        array = found[0] if entry.row is None else np.stack(found)
        entry.variable.assign(array.astype(entry.variable.dtype))
    return model


def to_released(
    model: keras.Model,
    layout: str,
    *,
    class_order: Sequence[int] | None = None,
) -> dict[str, np.ndarray]:
    """Make the state dict that a network of released code loads.

    Args:
        model: Of the parts that `from_released` gives, or a view of one: the
            model of a run of that method, with the width and depth of the
            released network. `scaled_classifier(model)` makes one of SSD's
            last stage out of a plain one.
        layout: See `from_released`.
        class_order: See `from_released`.

    Returns:
        Arrays by name, for `load_state_dict(strict=True)` of the released
        class, without prefixes of DataParallel. Counters of batches are 0.

    Raises:
        ValueError: if no network of that repository has the model's parts.

    Example:
        >>> from keras_lt.models import classifier
        >>> problem = Problem((8, 8, 1), class_counts=(30, 10, 3))
        >>> model = classifier("resnet8", problem, head="cosine")
        >>> state = to_released(model, "ldam")
        >>> state["linear.weight"].shape, state["conv1.weight"].shape
        ((64, 3), (16, 1, 3, 3))
        >>> again = from_released(state, "ldam", problem)
    """
    known, parts = _layout(layout), all_parts(model)
    roles = {part.role for part in parts}
    several = any(part.expert for part in parts)
    for form in known.forms.values():
        numbered = any("{expert}" in name for name in form.names.values())
        if form.names.keys() == roles and numbered == several:
            break
    else:
        raise ValueError(
            f"no network of {known.repository} has the parts of `model`, "
            f"{sorted(roles)}; they have "
            f"{[sorted(form.names) for form in known.forms.values()]}"
        )
    state = {}
    for entry in entries(parts, form.names):
        array = entry.value()
        if class_order is not None and entry.part.is_classifier:
            array = array[..., np.asarray(class_order)]
        array = entry.rule.theirs(array).astype(entry.rule.dtype)
        state[known.prefix + entry.name] = np.ascontiguousarray(array)
    for name in trackers(parts, form.names):
        state[known.prefix + name] = np.zeros((), "int64")
    return state


def _layout(name: str) -> Layout:
    if name not in LAYOUTS:
        raise ValueError(f"`layout` must be one of {[*LAYOUTS]}, got {name!r}")
    return LAYOUTS[name]


def _read(state: State, layout: str) -> tuple[str, Form, State]:
    """Kind and form of the network, and the state without prefixes."""
    known = _layout(layout)
    for prefix in (PARALLEL, known.prefix):
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): a for name, a in state.items()}
    for kind, form in known.forms.items():
        if form.sign in state:
            return kind, form, state
    signs = [form.sign for form in known.forms.values()]
    raise ValueError(
        f"`state` is of no network of {known.repository}: it must have one of "
        f"{signs}, got {len(state)} entries, first {[*state][:3]}"
    )


def _check(problem: Problem, network: ReleasedNetwork) -> None:
    for what, mine, theirs in (
        ("classes", problem.num_classes, network.num_classes),
        ("channels", problem.input_shape[-1], network.channels),
    ):
        if mine != theirs:
            raise ValueError(
                f"`problem` must have the {theirs} {what} of `state`, got "
                f"{mine}"
            )


def _checked(order: Sequence[int], network: ReleasedNetwork) -> Sequence[int]:
    if sorted(order) != [*range(network.num_classes)]:
        raise ValueError(
            f"`class_order` must have each of the {network.num_classes} "
            f"classes once, got {[*order]}"
        )
    return order


def _compare(state: State, wanted: Mapping, counters: Sequence[str]) -> None:
    """Raise an error with all that does not fit."""
    unknown = [n for n in state if n not in wanted and n not in {*counters}]
    missing = [name for name in wanted if name not in state]
    misshapen = [
        f"{name} with {np.shape(state[name])} instead of {entry.shape}"
        for name, entry in wanted.items()
        if name in state and np.shape(state[name]) != entry.shape
    ]
    said = [
        f"{title}: {', '.join(names)}"
        for title, names in (
            ("unknown", unknown),
            ("missing", missing),
            ("of another shape", misshapen),
        )
        if names
    ]
    if said:
        raise ValueError(f"`state` does not fit; {'; '.join(said)}")
