"""From a request to runs, with everything checked before the first starts."""

import dataclasses
import itertools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_lt.data import ImageDataset, ImageFiles
from keras_lt.devices import is_chief
from keras_lt.models import foreign
from keras_lt.runs.checks import check
from keras_lt.runs.config import RunConfig
from keras_lt.runs.defaults import settled
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.one_run import Run
from keras_lt.runs.options import Choice
from keras_lt.runs.planning import planned
from keras_lt.runs.preparation import make_loader, make_recipe
from keras_lt.runs.request import Request
from keras_lt.runs.start import hash_of_file
from keras_lt.runs.values import hyperparameters
from keras_lt.runs.variants import Variant, make_variants, start_of
from keras_lt.training import Recipe


def make_runs(
    request: Request, dataset: ImageDataset | None = None
) -> list[Run]:
    """Make one run for each method, variant and seed.

    Args:
        request: What is asked for.
        dataset: Its images, if they are there already.

    Returns:
        Runs, those that differ only in their seed one after the other; one
        that goes on from another one comes after it.

    Raises:
        ValueError: for anything that would fail later, as far as can be told.
    """
    request = settled(request)
    check(request)
    variants = make_variants(request.choice, request.conditions)
    seeds = _seeds(request.choice)
    dataset = dataset or request.images.load()
    request, variants, dataset = planned(request, variants, dataset)
    several = len(variants) * len(seeds) > 1
    runs: list[Run] = []
    alone: dict[tuple[str, int], RunFolder] = {}
    for variant, seed in itertools.product(variants, seeds):
        before = alone[variant.name, seed] if variant.goes_on else None
        config = _config(request, dataset, variant, seed, before)
        folder = _folder(request, config, variant, several, before)
        alone.setdefault((variant.name, seed), folder)
        recipe = make_recipe(variant.method, config, dataset)
        _check_choice(recipe, variant.name, dataset)
        runs.append(
            Run(
                folder=folder,
                config=config,
                command=request.command,
                variant=variant.shown,
                recipe=recipe,
                dataset=dataset,
                loader=make_loader(
                    recipe, config, dataset, kind=request.manner.input
                ),
                manner=request.manner,
                waits=variant.goes_on,
                together=bool(request.choice.seeds),
                seeds_mode=request.choice.seeds_mode,
            )
        )
    _check_apart(runs)
    for run in runs[:: len(seeds)]:  # seeds do not change the shapes
        run.check()
    return runs


def _check_choice(recipe: Recipe, name: str, dataset: ImageDataset) -> None:
    """Raise if a method has no images to choose on."""
    if recipe.candidates and dataset.validation is None:
        raise ValueError(
            f"--method={name} chooses on training images that are held out, "
            f"and {dataset.name} has none: --validation_per_class=N holds out "
            "N of each class"
        )


def _check_apart(runs: Sequence[Run]) -> None:
    """Raise if two runs would write to the same folder."""
    seen = set()
    for run in runs:
        if run.folder.path in seen:
            raise ValueError(
                f"--sweep: two runs would have the folder {run.folder.path}"
            )
        seen.add(run.folder.path)


def _seeds(choice: Choice) -> list[int]:
    flag = "seeds" if choice.seeds else "seed"
    texts = choice.seeds or choice.seed or ("0",)
    for text in texts:
        if not str(text).isdecimal():
            raise ValueError(
                f"--{flag} must be whole numbers >= 0, got {text!r}"
            )
    return [*dict.fromkeys(map(int, texts))]


def _config(
    request: Request,
    dataset: ImageDataset,
    variant: Variant,
    seed: int,
    before: RunFolder | None,
) -> RunConfig:
    source, images = dataset.source, request.images
    counts = dataset.class_counts
    ratio = images.imbalance_ratio or source.imbalance_ratio
    ratio = ratio or max(counts) / min(counts)
    on_disk = isinstance(dataset.train[0], ImageFiles)
    start = None if before else request.conditions.init_from
    values = hyperparameters(variant, source.family, request)
    return RunConfig(
        **vars(start_of(request.conditions, variant, before)),
        method=variant.name,
        then=variant.then,
        hyperparameters=values,
        data=dataclasses.replace(images, imbalance_ratio=ratio),
        on_disk=on_disk,
        splits_test=on_disk or source.splits_test,
        split_sha256=dataset.split_sha256,
        content_sha256=dataset.content_sha256,
        init_from_sha256=_hash_of_start(start),
        encoder_sha256=_hash_of_encoder(values),
        backend=keras.backend.backend(),
        seed=seed,
    )


def _hash_of_start(init_from: str | None) -> str | None:
    """Content of a file of weights to start from, if there is one."""
    if init_from is None:
        return None
    path = pathlib.Path(init_from)
    if path.is_file():
        return hash_of_file(path)
    model = RunFolder(path).model_file
    if not model.exists():
        raise ValueError(
            "--init_from must be the folder of a finished run, or a file of "
            f"weights, but {model} is missing"
        )
    return None


def _hash_of_encoder(hyperparameters: Mapping[str, Any]) -> str | None:
    """Content of a file with an encoder from elsewhere, if there is one."""
    names = map(hyperparameters.get, ("backbone", "pretrained"))
    files = [foreign.weights_file(name) for name in names if name]
    return next(map(hash_of_file, filter(None, files)), None)


def _folder(
    request: Request,
    config: RunConfig,
    variant: Variant,
    several: bool,
    before: RunFolder | None,
) -> RunFolder:
    """Folder of a run, which is free or holds an equal one."""
    path = pathlib.Path(request.manner.workdir or "runs")
    if before:
        path /= "+".join([before.path.name, *variant.then])
    elif several or not request.manner.workdir:
        path /= config.label(variant.shown)
    folder = RunFolder(path)
    if is_chief():
        folder.check_free(
            config, request.manner.resume, variant.method.defaults
        )
    return folder
