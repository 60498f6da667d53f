"""What `fit` leaves on the disk while it runs."""

import math
import time

import keras

from keras_lt.preemption import Preempted, asked
from keras_lt.training.store import Store


class SaveProgress(keras.callbacks.Callback):
    """Write a line of metrics every epoch, and a checkpoint now and then.

    A signal, see `preemption`, ends training after a checkpoint at the next
    step boundary; a loss that is not finite ends it without one.

    Args:
        store: Files of the run.
        every_seconds: Least time between two checkpoints, which are written
            within an epoch as well; 0 saves every epoch, and not within.
        steps: Steps of an epoch; None if training cannot start within one.
    """

    def __init__(
        self, store: Store, every_seconds: float, steps: int | None = None
    ):
        super().__init__()
        self.store = store
        self.every_seconds = every_seconds
        self.steps = steps

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self._clock = self._saved = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        """Read the rate of the first step."""
        self._began, self._before = self._clock, self.store.step
        if not self.store.step:
            rate = self.model.optimizer.learning_rate
            self.store.rate = float(keras.ops.convert_to_numpy(rate))

    def on_train_batch_end(self, batch, logs=None):
        """Save within an epoch, if it is time."""
        done = self._before + batch + 1
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            raise self.store.diverged("the loss", done)
        if not self.steps or done >= self.steps:
            return
        now = time.monotonic()
        late = now - self._saved >= self.every_seconds > 0
        if late or asked():
            self._save(now, done)
            self._end_if_asked()

    def _save(self, now, step):
        self._count(now)
        self.store.step = step
        if self.store.writes:
            with self.store.clock.count("checkpoints"):
                self.store.save(self.model, {"steps": now - self._began})
        self._saved = now

    def _count(self, now):
        self.store.seconds += now - self._clock
        self._clock = now

    def _end_if_asked(self):
        """End, if this process has what there is to write."""
        if asked() and self.store.writes:
            raise Preempted(str(asked()), f"stopped; kept: {self.store.kept()}")

    def on_epoch_end(self, epoch, logs=None):
        """Write."""
        now = time.monotonic()
        self._count(now)
        self.store.epoch, self.store.step = epoch + 1, 0
        if self.store.writes:
            with self.store.clock.count("checkpoints"):
                self._write(now, epoch, logs)
        self._end_if_asked()

    def _write(self, now, epoch, logs):
        store = self.store
        line = {
            "stage": store.stages[store.index],
            "epoch": epoch,
            "learning_rate": store.rate,
            **{name: float(value) for name, value in (logs or {}).items()},
            "seconds": round(store.seconds, 3),
        }
        store.add_line(line)
        if now - self._saved >= self.every_seconds or asked():
            store.save(self.model)
            self._saved = now


class GoOn(keras.callbacks.Callback):
    """Begin within an epoch, and stop at its end.

    Give it to `fit` as the last callback: what others do at the start of an
    epoch was done before.

    Args:
        store: Files of the run.
    """

    def __init__(self, store: Store):
        super().__init__()
        self.store = store

    def on_epoch_begin(self, epoch, logs=None):
        """Restore all that the steps before have changed."""
        self.store.restore_within_epoch(self.model)

    def on_epoch_end(self, epoch, logs=None):
        """The other epochs have more steps, for another `fit`."""
        self.model.stop_training = True
