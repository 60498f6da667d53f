"""One run: train, evaluate, and leave everything in its folder."""

import contextlib
import dataclasses
import itertools
import pathlib
from typing import Any

import files
import keras
import numpy as np
import pretrained
import reports
import routing
import strategy
import watch

from keras_lt import data, stats, training
from keras_lt.devices import is_chief, replicas
from keras_lt.models import load_encoder_weights

SEEDS_MODES = {"vectorised": True, "in_turn": False}


@dataclasses.dataclass
class Run:
    """A recipe with its data, folder and flags."""

    folder: pathlib.Path
    identity: dict
    command: str
    variant: dict
    start: str | None
    recipe: training.Recipe
    dataset: data.ImageDataset
    loader: data.Loader
    flags: Any
    verbose: bool = True

    def check(self) -> None:
        """Build everything once, to fail before training."""
        self.clear()
        self._try_layers()
        quiet = dataclasses.replace(self, verbose=False)
        training.rehearse(self.recipe, self.loader, start=quiet._start())

    def _source(self) -> pathlib.Path:
        """File of the weights to start from.

        In the folder of another run, those from just before the stage go
        before the ones of its end.
        """
        folder = pathlib.Path(self.identity["init_from"])
        if folder.is_file():
            return folder
        names = [stage.name for stage in self.recipe.stages]
        if self.start in names[1:]:
            before = names[names.index(self.start) - 1]
            for path in folder.glob(f"stages/*-{before}.npz"):
                return path
        return folder / "model.keras"

    def _start(self):
        """Where to start, and the weights, as `training.run` takes them."""
        if not self.start:
            return None
        source = self._source()
        if source == pathlib.Path(self.identity["init_from"]):
            weights = pretrained.read(source)
            return self.start, lambda model: self._load(model, weights)
        if source.suffix == ".keras":
            source = keras.saving.load_model(source, compile=False)
        return self.start, source

    def _load(self, model, weights) -> None:
        """Give a model's encoder the weights of a file."""
        fresh = load_encoder_weights(model, weights)
        if fresh and self.verbose:
            print(f"not of its shapes, and new: {', '.join(fresh)}")

    def _try_layers(self) -> None:
        """Run layers for augmentation on two images."""
        images = self.loader.pixels[:2].astype("float32")
        for layer in self.loader.augment.layers:
            try:
                layer(images, training=True)
            except Exception as error:  # theirs have no common base class
                reason = str(error).strip().split("\n")[0]
                raise ValueError(
                    f"--augment: {layer.name} does not work on images of "
                    f"shape {images.shape[1:]}: {reason}"
                ) from error

    def clear(self) -> None:
        """Free earlier models; Keras forgets more with them."""
        with strategy.kept():
            keras.utils.clear_session()
        keras.config.set_dtype_policy(self.identity["precision"])

    def execute(self) -> dict:
        """Train or resume, and return the content of `result.json`."""
        result_path = self.folder / "result.json"
        if not is_chief():
            self.verbose = False
            if result_path.exists():
                return files.read_json(result_path)
            return self._train()
        if result_path.exists():
            print(f"{self.folder} is complete already")
        else:
            self._announce()
            config = {
                "command": self.command,
                "identity": self.identity,
                "data_dir": self.flags.data_dir,
                "flip_tta": self.flags.flip_tta,
                "versions": files.versions(),
            }
            files.write_json(self.folder / "config.json", config)
            with self._failures_of_data():
                result = self._train()
            files.write_json(result_path, result)
            (self.folder / "checkpoint.npz").unlink()
        result = files.read_json(result_path)
        reports.print_stages(result)
        reports.print_seconds(result)
        if self.flags.plots:
            reports.draw(self.folder, result)
        return result

    @contextlib.contextmanager
    def _failures_of_data(self):
        """Raise what made reading images fail, not what came of it."""
        try:
            yield
        except Exception as error:
            for images in self._images():
                if getattr(images, "failure", None):
                    raise images.failure from error
            raise

    def _images(self) -> list:
        """Images of all splits."""
        splits = ("train", "validation", "test")
        splits = [getattr(self.dataset, split) for split in splits]
        return [images for images, _ in filter(None, splits)]

    def _announce(self) -> None:
        counts = self.dataset.class_counts
        print(
            f"{self.folder}: {self.identity['method']} on {self.dataset.name}, "
            f"{sum(counts):,} training images in {len(counts)} classes "
            f"({max(counts)} to {min(counts)}), split "
            f"{self.dataset.split_sha256[:16]}, {keras.backend.backend()}",
            flush=True,
        )
        if self.start:
            print(
                f"stage {self.start} starts from {self._source()}", flush=True
            )

    def _train(self) -> dict:
        devices = keras.distribution.list_devices()
        accelerators = [d for d in devices if not d.startswith("cpu")]
        on_tensorflow = keras.backend.backend() == "tensorflow"
        outcome = training.run(
            self.recipe,
            self.loader,
            seed=self.identity["seed"],
            workdir=self.folder,
            on_stage_end=self._evaluate,
            callbacks=self._callbacks,
            start=self._start(),
            # XLA halves the speed of convolutions in TensorFlow on a CPU, and
            # it cannot compile what replicas say to each other.
            jit_compile=False
            if on_tensorflow and (not accelerators or replicas() > 1)
            else "auto",
            steps_per_execution=self.flags.steps_per_execution,
            validation_freq=self.flags.validation_freq,
            checkpoint_seconds=self.flags.checkpoint_seconds,
            accumulate_steps=self.flags.accumulate_steps,
            sync_batch_norm=self.flags.sync_batch_norm,
            verbose=self.verbose,
        )
        clock = training.Clock(outcome.spent)
        with clock.count("checkpoints"):
            serve = self.recipe.serve(outcome.model)
            if is_chief():
                files.save_model(self.folder, serve)
        with clock.count("evaluation"):
            routed = self._routing(serve)
        last = outcome.records[self.recipe.stages[-1].name]
        return {
            **self.identity,
            "epochs": self.recipe.epochs,
            "accuracy": last["accuracy"],
            "validation_accuracy": last["validation_accuracy"],
            "flip_tta": self.flags.flip_tta,
            "variant": self.variant,
            "stages": outcome.records,
            "routing": routed,
            "class_counts": self.dataset.class_counts,
            "class_names": self.dataset.class_names,
            "parameters": _count_parameters(serve),
            "train_seconds": round(outcome.seconds, 2),
            "images_per_second": _speed(outcome),
            "seconds": {k: round(v, 3) for k, v in clock.seconds.items()},
            "input": self.loader.kind,
            "unreadable": self._unreadable(),
            "device": files.device(),
            "replicas": replicas(),
            "versions": files.versions(),
            "commit": files.commit(),
            "command": self.command,
        }

    def _evaluate(self, stage: training.Stage, model: keras.Model) -> dict:
        """Judge the model at the end of a stage."""
        counts = self.dataset.class_counts
        serve = self.recipe.serve(model)
        flip = {"flip": self.flags.flip_tta}
        validation = self.dataset.validation and training.evaluate(
            serve, *self.dataset.validation, counts, **flip
        )
        result = training.evaluate(
            serve,
            *self.dataset.test,
            counts,
            views=self.recipe.views(model),
            **flip,
        )
        result["validation_accuracy"] = validation and validation["accuracy"]
        if self.flags.flip_tta:
            plain = training.evaluate(serve, *self.dataset.test, counts)
            result["accuracy_without_flip"] = plain["accuracy"]
        result["best_test"] = watch.best_test(self.folder, stage.name)
        result["epochs"] = stage.epochs
        result["class_norms"] = _class_norms(serve)
        if routing.has_router(model):
            used = routing.count_used(model, self.dataset.test[0])
            result["experts_used"] = used.tolist()
        return result

    def _unreadable(self) -> dict[str, str]:
        """Images that others stood in for, with the reasons; shown as well."""
        found = {}
        for images in self._images():
            found |= getattr(images, "unreadable", {})
        for reason in found.values():
            print(f"skipped: {reason}", flush=True)
        return found

    def _routing(self, serve: keras.Model) -> dict | None:
        """Cost of routed experts on the test images."""
        if not routing.has_router(serve):
            return None
        plain = routing.plain_macs(
            self.identity["hyperparameters"], self.dataset
        )
        return routing.report(serve, self.dataset.test[0], plain)

    def _callbacks(self, stage: training.Stage) -> list:
        callbacks = []
        if self.flags.test_freq:
            callbacks.append(
                watch.TestAccuracy(
                    self.recipe.serve, *self.dataset.test, self.flags.test_freq
                )
            )
        if self.flags.tensorboard and is_chief():
            folder = self.folder / "tensorboard" / stage.name
            callbacks.append(keras.callbacks.TensorBoard(folder))
        return callbacks


def execute(runs: list[Run]) -> list[dict]:
    """Execute runs, one after the other, or side by side for `--seeds`.

    Returns:
        The content of each one's `result.json`.
    """

    def kind(run):  # equal for those that train in one program
        own = "seed" if run.flags.seeds else None
        return {k: v for k, v in run.identity.items() if k != own}

    results = []
    for _, group in itertools.groupby(runs, kind):
        group = list(group)
        group[0].clear()
        for other in group[1:]:
            other.verbose = False  # one line of progress is enough
        if len(group) > 1:
            mode = SEEDS_MODES.get(group[0].flags.seeds_mode)
            jobs = [run.execute for run in group]
            results += training.together(jobs, vectorised=mode)
        else:
            results.append(group[0].execute())
    return results


def _speed(outcome: training.Outcome) -> float | None:
    """Training images a second, without compilation and validation."""
    seconds = outcome.spent.get("steps", 0) + outcome.spent.get("input", 0)
    return round(outcome.images / seconds, 1) if outcome.images else None


def _class_norms(model: keras.Model) -> list[float]:
    """Norms of the class vectors, in the mean over all classifiers."""
    kernels = [
        keras.ops.convert_to_numpy(layer.kernel)
        for layer in model.layers
        if layer.name == "head" or layer.name.endswith("_head")
    ]
    norms = [stats.class_norms(kernel) for kernel in kernels]
    return np.mean(norms, axis=0).tolist()


def _count_parameters(model: keras.Model) -> int:
    """Weights, frozen or not, without statistics and random states."""
    kept = (
        variable
        for variable in model.variables
        if not variable.name.startswith("moving_")
        and "float" in str(variable.dtype)
    )
    return sum(int(np.prod(variable.shape)) for variable in kept)
