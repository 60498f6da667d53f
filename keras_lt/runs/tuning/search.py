"""Trials on held-out training images, then a request with the best values."""

import dataclasses
import secrets
import shutil
from collections.abc import Mapping
from typing import Any

from keras_lt.data import DATASETS, ImageDataset
from keras_lt.devices import processes
from keras_lt.extras import check_installed
from keras_lt.runs.defaults import SHARE, settled
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.one_run import Run
from keras_lt.runs.plan import make_runs
from keras_lt.runs.request import Request
from keras_lt.runs.tuning import shown
from keras_lt.runs.tuning.options import Tuning
from keras_lt.runs.tuning.planned import with_plan
from keras_lt.runs.tuning.space import Dimension, space
from keras_lt.runs.tuning.study import Study
from keras_lt.runs.tuning.trial import Pruned, Watch
from keras_lt.runs.variants import make_variants
from keras_lt.training import Diverged

PER_CLASS = 20  # validation images of data sets that are cut from balanced ones


@dataclasses.dataclass(frozen=True)
class Search:
    """A search that is checked, and can begin.

    Args:
        request: With `Tuning`.
        images: Those of trials: the validation images are their test images.
        folder: Of the run with the best values.
        dimensions: What is looked for.
        identity: What makes two searches equal.
        epochs: Of a trial.
    """

    request: Request
    images: ImageDataset
    folder: RunFolder
    dimensions: tuple[Dimension, ...]
    identity: Mapping[str, Any]
    epochs: int

    def run(self) -> list[Run]:
        """Make the trials that are left, then the run with the best values.

        Returns:
            That run, which is yet to be executed.
        """
        tuning = RunFolder(self.folder.tuning)
        with tuning.locked(), self.study() as study:
            while trial := study.next(self.request.tuning.trials):
                self._try(study, trial)
            trials = study.trials()
            shown.print_trials(trials, self.dimensions)
            shown.write(tuning.path, trials, self.dimensions)
            if self.request.manner.plots:
                importances = study.importances()
                shown.draw(tuning.path, trials, self.dimensions, importances)
            best = study.best()
        print(f"one run with {shown.listed(best)}", flush=True)
        return make_runs(_with(self.request, best, self.folder))

    def study(self) -> Study:
        """Its study, not yet open."""
        path = self.folder.tuning
        return Study(path, self.dimensions, self.identity, self.epochs)

    def _try(self, study: Study, trial: Any) -> None:
        """Execute a trial, or what is left of one that was killed."""
        values = study.values(trial)
        folder = RunFolder(self.folder.tuning / f"trial-{trial.number}")
        print(
            f"trial {trial.number + 1} of {self.request.tuning.trials}: "
            f"{shown.listed(values)}",
            flush=True,
        )
        request = _quiet(_with(self.request, values, folder))
        (run,) = make_runs(request, self.images)
        run.trial = Watch(trial, self.images.class_counts, self.images.groups)
        run.clear()
        try:
            found = run.execute()["accuracy"]["balanced"]
        except Pruned as end:
            study.end(trial, "PRUNED")
            print(f"  {end}", flush=True)
        except Diverged as error:
            study.end(trial, "FAIL")
            print(f"  failed: {error}", flush=True)
        else:
            study.end(trial, "COMPLETE", found)
            print(f"  balanced accuracy {100 * found:.1f} %", flush=True)
        _discard_weights(folder)


def prepare(request: Request) -> Search:
    """Check a request for a search.

    Args:
        request: With `Tuning.tune`.

    Raises:
        ValueError: for what would fail later.
    """
    check_installed("--tune", "optuna", "tune")
    request = settled(request)
    _check_alone(request)
    images = _judged_on_validation(_with_validation(request))
    request, images = with_plan(request, images)
    (variant,) = make_variants(request.choice, request.conditions)
    plain = dataclasses.replace(request, tuning=Tuning())
    (preset,) = make_runs(_nowhere(plain), images)
    values = preset.config.hyperparameters
    dimensions = space(variant.method, request.tuning.tune, values)
    path = request.manner.workdir
    names = {"tune": ",".join(each.name for each in dimensions)}
    folder = RunFolder(path or f"runs/{preset.config.label(names)}")
    if folder.config_file.exists() and not folder.tuning.exists():
        raise ValueError(
            f"--workdir: {folder.path} holds a run whose hyperparameters were "
            "not looked for; choose another folder"
        )
    if not request.manner.resume and folder.tuning.exists():
        raise ValueError(
            f"--workdir: {folder.path} holds a search already; choose another "
            "folder, or go on with it by --resume"
        )
    identity = {**preset.config.to_json(), "tune": names["tune"]}
    search = Search(
        request=request,
        images=images,
        folder=folder,
        dimensions=tuple(dimensions),
        identity=identity,
        epochs=preset.recipe.epochs,
    )
    if folder.tuning.exists():
        with search.study():
            pass  # it is this search's
    return search


def _check_alone(request):
    choice = request.choice
    several = (choice.method, choice.then, choice.seed or ())
    if choice.sweep or choice.seeds or any(len(each) > 1 for each in several):
        raise ValueError(
            "--tune needs one --method, one --seed and at most one --then, "
            "without --sweep and --seeds"
        )
    if processes()[1] > 1:
        raise ValueError("--tune needs a single process")


def _with_validation(request: Request) -> ImageDataset:
    """Images, of which some are held out even if the request holds out none.

    The run with the best values then trains on all of them.
    """
    images = request.images
    dataset = images.load()
    if dataset.validation is not None:
        return dataset
    if DATASETS[images.dataset].imbalance_ratio is None:
        flag, more = (
            "validation_share",
            dataclasses.replace(images, validation_share=SHARE),
        )
    else:
        flag, more = (
            "validation_per_class",
            dataclasses.replace(images, validation_per_class=PER_CLASS),
        )
    print(
        f"trials hold out training images, as --{flag}={getattr(more, flag)} "
        "does; the run with the best values is trained on all",
        flush=True,
    )
    return more.load()


def _judged_on_validation(dataset: ImageDataset) -> ImageDataset:
    """A data set whose test images, which nothing of a search may see, left."""
    if dataset.validation is None:
        raise ValueError(f"--tune: {dataset.name} has no images to hold out")
    return dataclasses.replace(dataset, test=dataset.validation)


def _with(
    request: Request, values: Mapping[str, Any], folder: RunFolder
) -> Request:
    """A request for one run with such values, in such a folder."""
    given = tuple(f"{name}={value!r}" for name, value in values.items())
    choice = request.choice
    return dataclasses.replace(
        request,
        choice=dataclasses.replace(choice, set=(*choice.set, *given)),
        manner=dataclasses.replace(request.manner, workdir=str(folder.path)),
        tuning=Tuning(),
    )


def _quiet(request: Request) -> Request:
    """A request that leaves only what a search needs."""
    manner = dataclasses.replace(
        request.manner,
        plots=False,
        tensorboard=False,
        mlflow=False,
        wandb=False,
        test_freq=0,
        on_divergence="stop",
    )
    return dataclasses.replace(request, manner=manner)


def _nowhere(request: Request) -> Request:
    """A request whose folder is free, whatever is there; it is never made."""
    name = f"runs/{secrets.token_hex(8)}"
    manner = dataclasses.replace(request.manner, workdir=name)
    return dataclasses.replace(request, manner=manner)


def _discard_weights(folder: RunFolder) -> None:
    """Remove what is large; metrics and results are kept."""
    folder.model_file.unlink(missing_ok=True)
    folder.checkpoint.unlink(missing_ok=True)
    folder.checkpoint_before.unlink(missing_ok=True)
    shutil.rmtree(folder.path / "stages", ignore_errors=True)
