"""From flags to runs, with everything checked before the first one starts."""

import dataclasses
import hashlib
import importlib.util
import itertools
import pathlib

import augmentation
import files
import keras
import numpy as np
import settings
from run import SEEDS_MODES, Run

from keras_lt import data
from keras_lt.devices import is_chief, replicas
from keras_lt.methods import METHODS, PRESETS
from keras_lt.training import Problem

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def runs(flags, command: str) -> list[Run]:
    """Make one run for each method and seed.

    Raises:
        ValueError: for anything that would fail later, as far as can be told.
    """
    _check(flags)
    names = [*dict.fromkeys(flags.method)]
    name = "seeds" if flags.seeds else "seed"
    seeds = [*dict.fromkeys(_seed(name, text) for text in flags[name].value)]
    chosen = {name: settings.parse(METHODS[name], flags.set) for name in names}
    if flags.sweep and len(names) > 1:
        raise ValueError(f"--sweep needs one --method, got {names}")
    variants = [
        variant
        for text in flags.sweep
        for variant in settings.sweep(METHODS[names[0]], text)
    ] or [{}]
    dataset = data.load(
        flags.dataset,
        imbalance_ratio=flags.imbalance_ratio,
        profile=flags.profile,
        subset=flags.subset,
        data_dir=flags.data_dir,
        validation_per_class=flags.validation_per_class,
        test_per_class=flags.test_per_class,
        image_size=flags.image_size,
        skip_unreadable=flags.unreadable == "skip",
    )
    source = dataset.source
    problem = Problem(
        dataset.input_shape,
        dataset.class_counts,
        source.pixel_mean,
        source.pixel_std,
    )
    start = _start(flags)
    on_disk = not isinstance(dataset.train[0], np.ndarray)
    plan = []
    for name, variant, seed in itertools.product(names, variants, seeds):
        own = chosen[name] | variant
        hyperparameters = _hyperparameters(name, source, own, flags)
        ratio = flags.imbalance_ratio or source.imbalance_ratio
        ratio = ratio or max(dataset.class_counts) / min(dataset.class_counts)
        identity = {
            "method": name,
            "dataset": dataset.name,
            "imbalance_ratio": ratio,
            "profile": flags.profile,
            "subset": flags.subset,
            "validation_per_class": flags.validation_per_class,
            "split_sha256": dataset.split_sha256,
            "augment": flags.augment or ["published"],
            "init_from": flags.init_from,
            "from_stage": flags.from_stage,
            **start,
            "backend": keras.backend.backend(),
            "precision": flags.precision,
            "accumulate_steps": flags.accumulate_steps,
            "sync_batch_norm": flags.sync_batch_norm,
            "seed": seed,
            "hyperparameters": hyperparameters,
        }
        if on_disk:
            identity["image_size"] = flags.image_size
        if on_disk or source.splits_test:
            identity["test_per_class"] = flags.test_per_class
        label = f"{dataset.name}-{ratio:g}-{name}"
        for hyperparameter, value in variant.items():
            label += f"-{hyperparameter}={value}".replace("/", "_")
        label += f"-seed{seed}"
        folder = pathlib.Path(flags.workdir or "runs")
        if not flags.workdir or len(names) * len(variants) * len(seeds) > 1:
            folder /= label
        if is_chief():
            files.claim(folder, identity, flags.resume)
        recipe = METHODS[name](problem, **_parts(hyperparameters, flags))
        published = dataclasses.replace(source.augment, **recipe.augment)
        augment = augmentation.parse(flags.augment, published, seed)
        second_view = dataclasses.replace(source.augment, **recipe.second_view)
        plan.append(
            Run(
                folder=folder,
                identity=identity,
                variant=variant,
                start=(flags.from_stage or recipe.stages[0].name)
                if flags.init_from
                else None,
                command=command,
                recipe=recipe,
                dataset=dataset,
                loader=data.Loader(
                    dataset.train,
                    validation=dataset.validation,
                    augment=augment,
                    second_view=second_view,
                    kind=flags.input,
                ),
                flags=flags,
            )
        )
    for run in plan[:: len(seeds)]:  # seeds do not change the shapes
        run.check()
    return plan


def _check(flags) -> None:
    for name in flags.method:
        if name not in METHODS:
            raise ValueError(
                f"--method: no method {name!r}{settings.nearest(name, METHODS)}"
            )
    if flags.precision not in PRECISIONS:
        raise ValueError(
            f"--precision must be one of {PRECISIONS}, got {flags.precision!r}"
        )
    if flags.unreadable not in ("error", "skip"):
        raise ValueError(
            f"--unreadable must be error or skip, got {flags.unreadable!r}"
        )
    if flags.lr_scaling not in ("none", "linear"):
        raise ValueError(
            f"--lr_scaling must be none or linear, got {flags.lr_scaling!r}"
        )
    if flags.seeds and flags["seed"].present:
        raise ValueError("--seeds and --seed exclude each other")
    if flags.seeds and keras.backend.backend() != "jax":
        raise ValueError(
            "--seeds trains side by side only with --backend=jax; --seed "
            "takes the seeds one after the other"
        )
    if flags.seeds_mode not in (None, *SEEDS_MODES):
        raise ValueError(
            f"--seeds_mode must be one of {[*SEEDS_MODES]}, got "
            f"{flags.seeds_mode!r}"
        )
    for package in ("tensorflow", "tensorboard"):
        if flags.tensorboard and not importlib.util.find_spec(package):
            raise ValueError(
                f"--tensorboard needs {package}, which is not installed; pip "
                "install 'keras_lt[tensorboard]' brings it"
            )
    for name in (
        "epochs_scale",
        "batch_size",
        "accumulate_steps",
        "validation_freq",
        "steps_per_execution",
        "image_size",
        "test_per_class",
    ):
        value = flags[name].value
        if value is not None and not value > 0:
            raise ValueError(f"--{name} must be > 0, got {value}")


def _start(flags) -> dict[str, str]:
    """Content of a file of weights to start from, if there is one."""
    if flags.from_stage and not flags.init_from:
        raise ValueError("--from_stage needs --init_from")
    if not flags.init_from:
        return {}
    path = pathlib.Path(flags.init_from)
    if path.is_file():
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        return {"init_from_sha256": digest.hexdigest()}
    path /= "model.keras"
    if not path.exists():
        raise ValueError(
            "--init_from must be the folder of a finished run, or a file of "
            f"weights, but {path} is missing"
        )
    return {}


def _seed(flag: str, text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"--{flag} must be whole numbers >= 0, got {text!r}")
    return int(text)


def _hyperparameters(method, source, chosen, flags) -> dict:
    """Resolve all hyperparameters: defaults, preset, --set, other flags."""
    preset = PRESETS[method].get(source.family, {})
    published = settings.defaults(METHODS[method]) | preset
    values = published | chosen
    if flags.batch_size is not None:
        values["batch_size"] = flags.batch_size
    if flags.lr_scaling == "linear":
        factor = values["batch_size"] / published["batch_size"]
        for name in published:
            if name.split("_")[-1] == "lr" and name not in chosen:
                values[name] *= factor
    values["epochs"] = settings.scale_epochs(
        values["epochs"], flags.epochs_scale
    )
    return values


def _parts(hyperparameters, flags) -> dict:
    """What a recipe sees where batches are computed part by part."""
    parts, devices = flags.accumulate_steps, replicas()
    sizes = {}
    for name, value in hyperparameters.items():
        if name.endswith("batch_size") and value is not None:
            if value % (parts * devices):
                raise ValueError(
                    f"{name} {value} does not divide over {devices} devices "
                    f"and --accumulate_steps={parts}"
                )
            sizes[name] = value // parts
    return hyperparameters | sizes
