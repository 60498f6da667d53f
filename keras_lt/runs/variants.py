"""Lines of the table to come: methods, their settings, stages after them."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from keras_lt.devices import processes
from keras_lt.methods import METHODS, Method
from keras_lt.runs import assignments
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.options import Choice, Conditions


@dataclasses.dataclass(frozen=True)
class Variant:
    """One line of the table to come: a method with its settings.

    Args:
        name: Of the method.
        method: With the stages that follow.
        settings: Values of `--set` and `--sweep`, by name.
        shown: Those of `--sweep`, which name the run.
        then: Names of the stages that follow.
        goes_on: Whether these begin where another line, the method alone,
            ends.
        planned: Values in place of published ones, see `planning`.
        epochs_factor: On the epochs of all stages.
        seconds: That it takes, as far as it is planned.
    """

    name: str
    method: Method
    settings: Mapping[str, Any]
    shown: Mapping[str, Any]
    then: tuple[str, ...] = ()
    goes_on: bool = False
    planned: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    epochs_factor: float = 1.0
    seconds: float | None = None


def make_variants(choice: Choice, conditions: Conditions) -> list[Variant]:
    """Make the lines that are asked for.

    Args:
        choice: Methods, their settings, stages after them. It names methods.
        conditions: Where they start.

    Returns:
        A line for each method and value of `--sweep`; where `--then` is there
        several times, one for each method alone, and for each `--then`.

    Raises:
        ValueError: for names or values that are none, and for combinations
            that say nothing.
    """
    names = [*dict.fromkeys(choice.method or ())]
    chains = _chains(choice.then)
    for flag, several in (("method", names), ("then", chains)):
        if choice.sweep and len(several) > 1:
            raise ValueError(f"--sweep needs one --{flag}, got {several}")
    if len(chains) > 1:
        # A finished run takes the place of the method alone.
        alone = [] if is_run(conditions) else [()]
        if alone and processes()[1] > 1:  # which do not wait for its files
            raise ValueError(
                "several --then in several processes need the finished run "
                "of a method, --init_from"
            )
        return [
            variant
            for name in names
            for variant in _matrix(name, [*alone, *chains], choice.set)
        ]
    (then,) = chains or [()]
    variants = []
    for name in names:
        method = METHODS[name].then(then)
        settings = assignments.parse(method, choice.set)
        swept = []
        for text in choice.sweep:
            for shown in assignments.sweep(method, text):
                if shown not in swept:
                    swept.append(shown)
        variants += [
            Variant(name, method, settings | shown, shown, then)
            for shown in swept or [{}]
        ]
    return variants


def _chains(then: Sequence[str]) -> list[tuple[str, ...]]:
    """Names of the stages of every `--then`."""
    chains = [
        tuple(filter(None, map(str.strip, text.split(",")))) for text in then
    ]
    return [*dict.fromkeys(filter(None, chains))]


def _matrix(
    name: str, chains: Sequence[tuple[str, ...]], settings: Sequence[str]
) -> list[Variant]:
    """Lines of one method; each takes the settings that are its own."""
    methods = [METHODS[name].then(then) for then in chains]
    for text in settings:
        setting = text.partition("=")[0]
        if not any(setting in method.hints for method in methods):
            assignments.parse(methods[-1], [text])  # which says so
    variants = []
    for then, method in zip(chains, methods, strict=True):
        own = [s for s in settings if s.partition("=")[0] in method.hints]
        values = assignments.parse(method, own)
        goes_on = bool(then) and () in chains
        if goes_on and values.get(f"{then[0]}_epochs") == 0:
            raise ValueError(
                f"--set: {then[0]}_epochs=0 leaves out the stage with which "
                f"--then={','.join(then)} begins"
            )
        variants.append(Variant(name, method, values, {}, then, goes_on))
    return variants


def is_run(conditions: Conditions) -> bool:
    """Whether `--then` begins where a finished run ends.

    So it does with the folder of one, unless another stage is asked for.
    """
    start = conditions.init_from
    folder = start is not None and pathlib.Path(start).is_dir()
    return folder and conditions.from_stage is None


def start_of(
    conditions: Conditions, variant: Variant, before: RunFolder | None
) -> Conditions:
    """Conditions with the start of a line's runs.

    Args:
        conditions: As they were asked for.
        variant: The line.
        before: Folder of the run of the method alone, if it goes on from one.

    Raises:
        ValueError: if the stages of a finished run are not those with which
            `--then` begins.
    """
    if before is not None:
        return dataclasses.replace(
            conditions,
            init_from=str(before.path),
            from_stage=variant.then[0],
        )
    if not variant.then or not is_run(conditions):
        return conditions
    had = RunFolder(str(conditions.init_from)).config().then
    if variant.then[: len(had)] != had or variant.then == had:
        raise ValueError(
            "--then must go on after the stages that the run of --init_from "
            f"had, {','.join(had)}, got {','.join(variant.then)}; --from_stage "
            "starts elsewhere"
        )
    stage = variant.then[len(had)]
    return dataclasses.replace(conditions, from_stage=stage)
