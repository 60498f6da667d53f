"""One line of progress for a whole stage of training."""

import sys
import time

import keras

from keras_lt.checking import checked

BAR = 10  # so that the longest line of a recipe fits on 80 columns


class ShowProgress(keras.callbacks.Callback):
    """Show epoch, loss, accuracy, speed and the time left, on one line.

    Keras prints a bar an epoch, which is too much for hundreds of short
    epochs. On a terminal the line is rewritten in place, at most ten times a
    second; elsewhere a new line appears at most every `interval` seconds.

    Args:
        title: What is being trained, at the start of the line.
        interval: Seconds between lines where the output is not a terminal.
        stream: Where to write; standard error by default.

    See also: `RecordClassNorms`.
    """

    @checked
    def __init__(self, title: str, *, interval: float = 30.0, stream=None):
        super().__init__()
        self.title = title
        self.interval = interval
        self.stream = stream

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self._start = self._shown = time.monotonic()
        self._steps = self.params["steps"]  # None: known after one epoch
        self._first_epoch = None

    def on_epoch_begin(self, epoch, logs=None):
        """Count the epochs that a resumed run skips as done before."""
        self._epoch, self._batches = epoch, 0
        if self._first_epoch is None:
            self._first_epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Show the line if it is time."""
        self._batches = batch + 1  # with `steps_per_execution`, many at once
        self._show(logs, force=False)

    def on_epoch_end(self, epoch, logs=None):
        """Show the last line of the last epoch."""
        self._steps = self._batches = self._steps or self._batches
        if epoch + 1 == self.params["epochs"]:
            self._show(logs, force=True)

    def _show(self, logs, force):
        stream = self.stream or sys.stderr
        terminal = stream.isatty()
        now = time.monotonic()
        wait = 0.1 if terminal else self.interval
        if not force and now - self._shown < wait:
            return
        self._shown = now
        line = self._line(now - self._start, logs or {})
        width = 79
        text = f"\r{line[:width]:<{width}}" if terminal else line
        stream.write(text + ("\n" if force or not terminal else ""))
        stream.flush()

    def _line(self, seconds, logs):
        epochs, left = self.params["epochs"], "--:--"
        filled = BAR * self._epoch // epochs
        if self._steps:
            before = self._first_epoch * self._steps
            batches = min(self._batches, self._steps)
            done = self._epoch * self._steps + batches
            in_all = epochs * self._steps
            left = _clock(seconds / (done - before) * (in_all - done))
            filled = BAR * done // in_all
        parts = [
            f"{self.title} [{'#' * filled:<{BAR}}]",
            f"epoch {self._epoch + 1}/{epochs}",
            f"loss {float(logs.get('loss', float('nan'))):.4f}",
        ]
        if "accuracy" in logs:
            parts.append(f"acc {100 * float(logs['accuracy']):.1f}%")
        return "  ".join([*parts, f"{left} left"])


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{minutes:02d}:{seconds:02d}"
    return f"{hours}:{clock}" if hours else clock
