"""Where a run stands, on disk: written often, read after a kill."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import keras

from keras_lt.array_files import DamagedFile
from keras_lt.atomic import (
    make_durable,
    make_folder,
    remove_partial,
    write_atomically,
)
from keras_lt.devices import is_chief
from keras_lt.json_files import finite
from keras_lt.training import divergence
from keras_lt.training.checkpoint import (
    all_variables,
    load_metrics,
    load_variables,
    read_progress,
    save_variables,
)
from keras_lt.training.clock import Clock
from keras_lt.training.progress import Progress
from keras_lt.training.transfer import restore_weights, write_weights
from keras_lt.workdir import Workdir

NOTHING: Mapping[str, float] = {}


class Store:
    """The files of one run, and how far it has come.

    The last two checkpoints are kept; where the newer one is damaged, the run
    goes on from the other.

    Args:
        workdir: Folder of the run, or None to keep nothing.
        stages: Names of the stages, in order.
        first: Index of the first stage that this run trains.

    Where several processes train together, all read and only the first one
    writes, so the folder must be one that all of them see.

    Attributes:
        index: Stage to train now.
        epoch: Epochs of it that are done.
        step: Steps of the next epoch that are done.
        rate: Learning rate at the start of that epoch.
        seconds: Time spent in training so far.
        records: JSON data kept of each finished stage, by name.
        clock: What the time was spent on so far.

    Raises:
        DamagedFile: naming it, if both checkpoints are damaged, or if
            `metrics.jsonl` lacks epochs that are done.
    """

    def __init__(self, workdir: Any, stages: list[str], first: int = 0):
        self.files, self.reads = Workdir(workdir or ""), bool(workdir)
        self.writes = self.reads and is_chief()
        self.stages = stages
        self.first = first
        self.lines = 0
        self._take(Progress(first, 0, 0.0, {}, {}))
        if self.writes:
            make_folder(self.files.path)
            remove_partial(self.files.path)
        self.source = self._find_checkpoint() if self.reads else None
        self.clock = Clock(self.spent)
        if self.writes:
            self._rewind_metrics()

    def _take(self, progress: Progress) -> None:
        self.index, self.epoch = progress.index, progress.epoch
        self.step, self.rate = progress.step, progress.rate
        self.seconds = progress.seconds
        self.records, self.spent = progress.records, progress.spent
        self._expected = progress.lines

    def _find_checkpoint(self) -> pathlib.Path | None:
        """Take the newest checkpoint that is whole."""
        errors = []
        files = self.files.checkpoint, self.files.checkpoint_before
        for path in files:
            if not path.exists():
                continue
            try:
                self._take(read_progress(path, self.stages))
            except ValueError as error:
                errors.append(error)
                continue
            if errors:
                print(f"{errors[0]}; going on from {path}", flush=True)
            return path
        if errors:
            raise DamagedFile(
                f"{errors[0]}; there is no other checkpoint: remove the folder "
                "to begin anew"
            ) from errors[0]
        return None

    @property
    def newest(self) -> pathlib.Path:
        """The checkpoint that the run goes on from."""
        return self.source or self.files.checkpoint

    @property
    def soft_labels(self) -> pathlib.Path | None:
        """File with what a teacher says of the training images."""
        return self.files.soft_labels if self.reads else None

    @property
    def features(self) -> pathlib.Path | None:
        """File with what an encoder makes of the images."""
        return self.files.features if self.reads else None

    def weights(self, index: int) -> pathlib.Path:
        """File with the model's weights at the end of a stage."""
        return self.files.weights(index, self.stages[index])

    def restore(
        self, index: int, model: keras.Model, learner: keras.Model
    ) -> None:
        """Give a model, set up for stage `index`, or its learner, its state."""
        if index < self.first:
            return
        started = self.epoch or self.step
        if index == self.index and started:
            load_variables(self.newest, learner)
        elif index == self.index - 1 and not started:
            load_variables(self.newest, model)
        elif index < self.index:
            restore_weights(self.weights(index), model)

    def rate_factor(self, index: int) -> float:
        """Factor on the learning rates of a stage in which the run diverged."""
        records = divergence.read_records(self.files.divergences)
        times = [each["stage"] for each in records].count(self.stages[index])
        return 0.5**times if self.reads else 1.0

    def restore_within_epoch(self, model: keras.Model) -> None:
        """The same once more within an epoch, with what its metrics saw."""
        load_variables(self.newest, model)
        load_metrics(self.newest, model)

    def kept(self) -> str:
        """What is left of a run that ends now, for people."""
        path = self.source
        if path is None or not self.writes:
            return "nothing, it begins anew"
        found = read_progress(path, self.stages)
        name = [*self.stages, "the end"][found.index]
        within = f", step {found.step}" if found.step else ""
        return f"{path} (stage {name}, {found.epoch} epochs done{within})"

    def save(
        self, model: keras.Model, spent: Mapping[str, float] = NOTHING
    ) -> None:
        """Write a checkpoint; the one before it stays.

        Args:
            model: Compiled, or at the end of its stage.
            spent: Seconds that `clock` does not know of yet.

        Raises:
            Diverged: if a variable is not finite; nothing is written then.
        """
        self.check(model)
        if not self.writes:
            return
        if self.files.metrics.exists():  # as far as the checkpoint says
            make_durable(self.files.metrics)
        more = {n: self.spent.get(n, 0.0) + s for n, s in spent.items()}
        progress = Progress(
            index=self.index,
            epoch=self.epoch,
            step=self.step,
            rate=self.rate,
            lines=self.lines,
            seconds=self.seconds,
            records=self.records,
            spent=self.spent | more,
        )
        self.source = self.files.checkpoint
        before = self.files.checkpoint_before
        save_variables(self.source, model, progress, before)

    def check(self, model: keras.Model) -> None:
        """Raise `Diverged` if a variable is not finite."""
        if name := divergence.not_finite(all_variables(model)):
            raise self.diverged(name)

    def diverged(self, what: str, step: int | None = None) -> Exception:
        """The error that something is not finite, of where the run is."""
        return divergence.Diverged(
            stage=self.stages[self.index],
            epoch=self.epoch,
            step=step,
            rate=self.rate,
            what=what,
            kept=self.kept(),
        )

    def finish_stage(self, model: keras.Model, record: Any) -> None:
        """Keep the weights of the stage and move on to the next one."""
        with self.clock.count("checkpoints"):
            self.check(model)
            if self.writes:
                write_weights(self.weights(self.index), model)
            self.records[self.stages[self.index]] = record
            self.index, self.epoch = self.index + 1, 0
            self.step, self.rate = 0, None
            self.save(model)

    def add_line(self, line: Mapping[str, Any]) -> None:
        """Write what is known of an epoch that is done."""
        with open(self.files.metrics, "a") as file:
            file.write(json.dumps(finite(line)) + "\n")
        self.lines += 1

    def _rewind_metrics(self) -> None:
        """Drop the lines of epochs that will be trained again."""
        if self.files.metrics.exists():
            text = self.files.metrics.read_text(errors="replace")
            kept = [line for line in text.splitlines() if self._is_done(line)]
            self.lines = len(kept)
            content = "".join(line + "\n" for line in kept)
            if content != text:
                write_atomically(self.files.metrics, content.encode())
        if self._expected not in (None, self.lines):
            raise DamagedFile(
                f"{self.files.metrics} holds {self.lines} of the "
                f"{self._expected} epochs that {self.source} counts: put it "
                "back, or remove the folder to begin anew"
            )

    def _is_done(self, text: str) -> bool:
        try:
            line = json.loads(text)
            position = self.stages.index(line["stage"]), line["epoch"]
            return position < (self.index, self.epoch)
        except (ValueError, KeyError, TypeError, RecursionError):  # cut off
            return False
