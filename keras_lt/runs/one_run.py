"""One run: train, evaluate, and leave everything in its folder."""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras

from keras_lt import training
from keras_lt.data import ImageDataset, Loader
from keras_lt.devices import is_chief, on_accelerator, replicas
from keras_lt.models import anatomy
from keras_lt.runs import (
    judging,
    provenance,
    reports,
    routing_cost,
    strategies,
)
from keras_lt.runs.beginning import begin, restarting
from keras_lt.runs.config import RunConfig
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.looks import best_test
from keras_lt.runs.manner import Manner
from keras_lt.runs.start import Start, find_start
from keras_lt.runs.trackers import Tracker, tracking, wanted_by
from keras_lt.runs.watching import watchers
from keras_lt.training.divergence import read_records

CLASSES = ("class_counts", "class_names", "groups")
Result = dict[str, Any]  # the content of `result.json`


@dataclasses.dataclass
class Run:
    """A recipe with its data and folder.

    Args:
        folder: Where everything is left.
        config: All that decides the result.
        command: As it was typed.
        variant: Hyperparameters in which it differs from its neighbours.
        recipe: What is trained.
        dataset: On which images.
        loader: Which makes batches of them.
        manner: How it is carried out.
        waits: Whether another run, executed before, makes its first weights.
        together: Whether its seeds train side by side.
        seeds_mode: How, see `Choice`.
        verbose: Whether to show progress.
        trial: What watches it if it is a trial, which shows no tables.
    """

    folder: RunFolder
    config: RunConfig
    command: str
    variant: Mapping[str, Any]
    recipe: training.Recipe
    dataset: ImageDataset
    loader: Loader
    manner: Manner
    waits: bool = False
    together: bool = False
    seeds_mode: str | None = None
    verbose: bool = True
    trial: Tracker | None = None

    @functools.cached_property
    def start(self) -> Start | None:
        """Where its first weights come from; None for new ones."""
        return find_start(self.config, self.recipe)

    def check(self) -> None:
        """Build everything once, to fail before training."""
        self.clear()
        self._try_layers()
        start = None if self.waits else self.start
        source = start.source(verbose=False) if start else None
        training.rehearse(self.recipe, self.loader, start=source)

    def _try_layers(self) -> None:
        """Run layers for augmentation on two images."""
        images = self.loader.pixels[:2].astype("float32")
        for layer in self.loader.augment.layers:
            try:
                layer(images, training=True)
            except Exception as error:  # theirs have no common base class
                reason = str(error).strip().split("\n")[0]
                name = getattr(layer, "name", layer)
                raise ValueError(
                    f"--augment: {name} does not work on images of "
                    f"shape {images.shape[1:]}: {reason}"
                ) from error

    def clear(self) -> None:
        """Free earlier models; Keras forgets more with them."""
        with strategies.kept():
            keras.utils.clear_session()
        keras.config.set_dtype_policy(self.config.precision)

    def execute(self) -> Result:
        """Train or resume, and return the content of `result.json`."""
        if not is_chief():
            self.verbose = False
            return self._finished() or self._train()
        if self._finished():
            print(f"{self.folder.path} is complete already")
        else:
            with self.folder.locked():
                begin(
                    self.folder,
                    self.config,
                    self.manner,
                    self.command,
                    self.dataset,
                    self.start,
                )
                wanted, name = wanted_by(self.manner), self.folder.path.name
                also = [self.trial] if self.trial else []
                with (
                    self._failures_of_data(),
                    tracking(wanted, name, self.config.to_json()) as trackers,
                ):
                    result = self._train([*trackers, *also])
                    for tracker in trackers:
                        tracker.log(result["accuracy"], result["epochs"])
                self.folder.finish(result)
                lost = {*self.recipe.candidates} - {*result["stages"]}
                self.folder.forget(lost)  # copies of a whole encoder
        if self.trial is None:
            reports.show(self.folder, plots=self.manner.plots)
        return self.folder.result()

    def _finished(self) -> Result | None:
        if self.folder.result_file.exists():
            return self.folder.result()
        return None

    @contextlib.contextmanager
    def _failures_of_data(self) -> Iterator[None]:
        """Raise what made reading images fail, not what came of it."""
        try:
            yield
        except Exception as error:
            for images, _ in self.dataset.present:
                if failure := getattr(images, "failure", None):
                    raise failure from error
            raise

    def _outcome(self, trackers: Sequence[Tracker]) -> training.Outcome:
        # XLA halves the speed of convolutions in TensorFlow on a CPU, and it
        # cannot compile what replicas say to each other.
        on_tensorflow = self.config.backend == "tensorflow"
        plain = on_tensorflow and (not on_accelerator() or replicas() > 1)
        return training.run(
            self.recipe,
            self.loader,
            seed=self.config.seed,
            workdir=self.folder.path,
            on_stage_end=self._judge,
            callbacks=functools.partial(
                watchers,
                recipe=self.recipe,
                dataset=self.dataset,
                folder=self.folder,
                manner=self.manner,
                trackers=trackers,
            ),
            start=self.start.source(self.verbose) if self.start else None,
            jit_compile=False if plain else "auto",
            steps_per_execution=self.manner.steps_per_execution,
            validation_freq=self.manner.validation_freq,
            checkpoint_seconds=self.manner.checkpoint_seconds,
            accumulate_steps=self.config.accumulate_steps,
            sync_batch_norm=self.config.sync_batch_norm,
            verbose=self.verbose,
        )

    def _train(self, trackers: Sequence[Tracker] = ()) -> Result:
        restarts = self.manner.on_divergence == "restart"
        train = functools.partial(self._outcome, trackers)
        outcome = restarting(train, self.folder, restarts)
        clock = training.Clock(outcome.spent)
        with clock.count("checkpoints"):
            serve = self.recipe.serve(outcome.model)
            if is_chief():
                self.folder.save_model(serve)
        with clock.count("evaluation"):
            routing = self._routing(serve)
            records = judging.by_stage(self.recipe, outcome, self._judge)
        last = records[outcome.stage]
        return {
            **self.config.to_json(),
            "epochs": self.recipe.epochs,
            "accuracy": last["accuracy"],
            "validation_accuracy": last["validation_accuracy"],
            "flip_tta": self.manner.flip_tta,
            "variant": dict(self.variant),
            "stages": records,
            **judging.choice(self.recipe, outcome),
            "routing": routing,
            **{name: getattr(self.dataset, name) for name in CLASSES},
            "parameters": judging.count_parameters(serve),
            "train_seconds": round(outcome.seconds, 2),
            "images_per_second": judging.images_per_second(outcome),
            "seconds": {k: round(v, 3) for k, v in clock.seconds.items()},
            "input": self.loader.kind,
            "unreadable": self._unreadable(),
            **self._divergences(),
            "device": provenance.device(),
            "replicas": replicas(),
            "versions": provenance.versions(),
            "commit": provenance.commit(),
            "command": self.command,
        }

    def _judge(
        self, stage: training.Stage, model: keras.Model, chosen: bool = False
    ) -> Result:
        seen = model, stage, self.recipe, self.dataset
        flip = self.manner.flip_tta
        found = judging.judge(*seen, flip=flip, chosen=chosen)
        epochs = self.folder.epochs()
        return found | {"best_test": best_test(epochs, stage.name)}

    def _divergences(self) -> Result:
        found = read_records(self.folder.divergences)
        return {"divergences": found} if found else {}

    def _unreadable(self) -> dict[str, str]:
        """Images that others stood in for, with the reasons; shown as well."""
        found = {}
        for images, _ in self.dataset.present:
            found |= getattr(images, "unreadable", {})
        for reason in found.values():
            print(f"skipped: {reason}", flush=True)
        return found

    def _routing(self, serve: keras.Model) -> Result | None:
        """Cost of routed experts on the test images."""
        if not anatomy.has_router(serve):
            return None
        plain = routing_cost.plain_macs(
            self.config.hyperparameters, self.dataset.class_counts, serve
        )
        return routing_cost.report(serve, self.dataset.test[0], plain)
