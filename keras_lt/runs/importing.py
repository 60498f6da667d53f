"""Runs out of files of released code."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import keras

from keras_lt.methods import METHODS, Method
from keras_lt.models import from_released, released_network
from keras_lt.models.released import (
    LAYOUTS,
    ReleasedNetwork,
    classes_from_the_rarest,
    first_branches,
)
from keras_lt.problem import Problem
from keras_lt.runs import assignments, judging, provenance, weight_files
from keras_lt.runs.config import RunConfig
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.options import Conditions, DataOptions
from keras_lt.runs.origin import Origin, find_origin
from keras_lt.runs.start import hash_of_file
from keras_lt.training import Recipe
from keras_lt.training.transfer import write_weights

TRAINED_BRANCHES = {"inaturalist2018": 2}  # of ResLT's three


@dataclasses.dataclass(frozen=True, kw_only=True)
class Import:
    """What to make a run of.

    Args:
        file: See `weight_files.read_state`.
        layout: Name in `models.released.LAYOUTS`, which is a method's.
        images: See `origin.find_origin`.
        class_counts: See `origin.find_origin`.
        set: Hyperparameters, `NAME=VALUE`.
        out: Folder of the run.
        command: As it can be typed again.
    """

    file: pathlib.Path
    layout: str
    images: DataOptions
    class_counts: tuple[int, ...] | None
    set: tuple[str, ...]
    out: pathlib.Path
    command: str


def import_run(wanted: Import) -> list[str]:
    """Make the folder of a finished run out of a file.

    The folder holds the model that is served, and all weights of the file as
    those at the end of the stage that they are from.

    Returns:
        Lines that say what was found, what was not read, and what is not
        known.

    Raises:
        ValueError: for anything that does not fit, before a file is written.
    """
    _check(wanted)
    state, beside = weight_files.read_state(wanted.file, "FILE")
    network = released_network(state, wanted.layout)
    origin = find_origin(wanted.images, wanted.class_counts, network)
    lines = _lines(state, beside, network, origin)
    method = METHODS[wanted.layout]
    found = {
        **_of_network(network, method),
        **assignments.parse(method, wanted.set),
    }
    values = method.published(origin.source.family, found) | found
    problem = Problem(
        origin.shape,
        origin.counts or (1,) * network.num_classes,
        origin.source.pixel_mean,
        origin.source.pixel_std,
    )
    recipe = method(problem, **values)
    order = None
    if wanted.layout == "reslt" and network.form == "convolution":
        state = _trained(state, origin, lines)
        order = _class_order(origin, lines)
    model = from_released(state, wanted.layout, problem, class_order=order)
    config = _config(wanted, origin, values)
    _write(
        wanted,
        config,
        recipe,
        model,
        about={
            "class_counts": problem.class_counts,
            "class_names": origin.class_names,
            "imported": {"from": wanted.layout, **vars(network)},
        },
    )
    return lines


def _check(wanted: Import) -> None:
    if wanted.layout not in LAYOUTS:
        raise ValueError(
            f"--from must be one of {[*LAYOUTS]}, got {wanted.layout!r}"
        )
    if not wanted.file.is_file():
        raise ValueError(f"FILE: {wanted.file} is missing")
    if wanted.out.exists() and any(wanted.out.iterdir()):
        raise ValueError(f"--out: {wanted.out} is not empty")


def _of_network(network: ReleasedNetwork, method: Method) -> dict[str, Any]:
    """Hyperparameters that the shapes of the weights decide."""
    known = vars(network) | {
        "branches": network.branches > 1,
        "router": network.top_k is not None,
    }
    return {
        name: value
        for name, value in known.items()
        if name in method.hints and value is not None and name != "queue_size"
    }


def _lines(
    state: weight_files.State,
    beside: list[str],
    network: ReleasedNetwork,
    origin: Origin,
) -> list[str]:
    counters = [name for name in state if name.endswith("num_batches_tracked")]
    lines = [
        f"{network.kind}: {network.backbone}, width {network.width}, experts "
        f"{network.num_experts}, classes {network.num_classes}, for "
        f"{origin.images.dataset}; {len(state) - len(counters)} entries"
    ]
    if counters:
        lines.append(
            f"left out, as nothing depends on them: {len(counters)} counters "
            "num_batches_tracked"
        )
    if beside:
        lines.append(f"not read, beside the weights: {', '.join(beside)}")
    if not origin.counts:
        lines.append(
            "class counts are not known, all are taken as equal: "
            "--class_counts or --data_dir tells them"
        )
    return lines


def _trained(
    state: weight_files.State, origin: Origin, lines: list[str]
) -> weight_files.State:
    """ResLT's weights without a branch that was never trained."""
    number = TRAINED_BRANCHES.get(origin.images.dataset)
    if number is None:
        return state
    lines.append(
        f"left out, as never trained: all branches after the first {number}"
    )
    return first_branches(state, number)


def _class_order(origin: Origin, lines: list[str]) -> tuple[int, ...] | None:
    """Which class is which of ResLT's, that are sorted by their images."""
    if origin.counts:
        return classes_from_the_rarest(origin.counts)
    lines.append(
        "class 0 is the rarest one, and so on, as there: --class_counts or "
        "--data_dir tells the data set's order"
    )
    return None


def _config(
    wanted: Import, origin: Origin, values: Mapping[str, Any]
) -> RunConfig:
    conditions = Conditions(init_from=str(wanted.file))
    return RunConfig(
        **vars(conditions),
        method=wanted.layout,
        hyperparameters=values,
        data=origin.images,
        on_disk=origin.on_disk,
        splits_test=origin.on_disk or origin.source.splits_test,
        split_sha256=origin.split_sha256,
        init_from_sha256=hash_of_file(wanted.file),
        backend=keras.backend.backend(),
        seed=0,
    )


def _write(
    wanted: Import,
    config: RunConfig,
    recipe: Recipe,
    model: keras.Model,
    about: dict[str, Any],
) -> None:
    """Write the folder of a run; the result, which completes it, comes last.

    Args:
        wanted: What was asked for.
        config: Of the run.
        recipe: Of its method.
        model: That the recipe could have trained.
        about: Entries of the result.
    """
    folder, served = RunFolder(wanted.out), recipe.serve(model)
    folder.begin(
        config,
        provenance.surroundings(),
        command=wanted.command,
        data_dir=config.data.data_dir,
        flip_tta=False,
        versions=provenance.versions(),
    )
    stages = [stage.name for stage in recipe.stages]
    # SSD's networks are told apart by the stage that they are from.
    ssd = wanted.layout == "ssd"
    stage = about["imported"]["kind"] if ssd else stages[-1]
    write_weights(folder.weights(stages.index(stage), stage), model)
    folder.save_model(served)
    folder.finish(
        {
            **config.to_json(),
            **about,
            "accuracy": None,  # nobody has measured it here
            "flip_tta": False,
            "stages": {},
            "parameters": judging.count_parameters(served),
            "versions": provenance.versions(),
            "commit": provenance.commit(),
            "command": wanted.command,
        }
    )
