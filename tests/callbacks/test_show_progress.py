import io
import re

import keras
import numpy as np
import pytest
import tiny

from keras_lt.callbacks import ShowProgress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock(keras.callbacks.Callback):
    """The time, in which a step takes `seconds`."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.steps = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.steps += 1

    def monotonic(self):
        return self.steps * self.seconds


@pytest.fixture
def shown(monkeypatch):
    """Function that fits and returns what was written."""

    def fit(
        stream,
        *,
        interval=30.0,
        seconds=0.0,
        metrics=(),
        steps=5,
        epochs=4,
        compile_options=None,
        **options,
    ):
        clock = Clock(seconds)
        monkeypatch.setattr("keras_lt.callbacks.show_progress.time", clock)
        model = tiny.linear([[1.0, 0]])
        tiny.compiled(
            model,
            keras.optimizers.SGD(0.0),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=list(metrics),
            **(compile_options or {}),
        )
        progress = ShowProgress("features", interval=interval, stream=stream)
        tiny.fit(
            model,
            [[1.0]],
            [0],
            steps=steps,
            epochs=epochs,
            callbacks=[clock, progress],
            **options,
        )
        return stream.getvalue() if stream else ""

    return fit


LOSS = np.log1p(np.exp(-1.0))


def test_one_line_in_a_file(shown):
    text = shown(io.StringIO())
    assert re.fullmatch(
        r"features \[#{10}\]  epoch 4/4  loss 0\.3133  00:00 left\n", text
    )
    assert f"{LOSS:.4f}" in text


def test_accuracy_in_percent(shown):
    text = shown(io.StringIO(), metrics=["accuracy"])
    assert "  acc 100.0%  " in text


def test_lines_at_intervals(shown):
    lines = shown(io.StringIO(), interval=8, seconds=1).splitlines()
    # After 8, 16 and all 20 steps of a second.
    assert [line.count("#") for line in lines] == [4, 8, 10]
    epochs = [line.split("epoch ")[1][:3] for line in lines]
    assert epochs == ["2/4", "4/4", "4/4"]
    left = [line.rsplit("  ", 1)[1] for line in lines]
    assert left == ["00:12 left", "00:04 left", "00:00 left"]


def test_by_default_every_half_minute(shown):
    assert ShowProgress("features").interval == 30
    assert len(shown(io.StringIO(), seconds=10).splitlines()) == 20 // 3 + 1


def test_hours_left(shown):
    lines = shown(io.StringIO(), epochs=2, steps=4, seconds=1000).splitlines()
    assert lines[0].endswith("  1:56:40 left")


def test_a_resumed_run_counts_the_epochs_before(shown):
    lines = shown(
        io.StringIO(), initial_epoch=2, interval=2, seconds=1
    ).splitlines()
    # 10 of 20 steps were done before; a step takes a second.
    assert lines[0].count("#") == 6
    assert lines[0].endswith("epoch 3/4  loss 0.3133  00:08 left")
    assert lines[-1].count("#") == 10
    assert lines[-1].endswith("epoch 4/4  loss 0.3133  00:00 left")


def test_a_terminal_rewrites_one_line(shown):
    text = shown(Terminal(), epochs=2, seconds=1)
    assert text.count("\n") == 1 and text.endswith("\n")
    frames = text[:-1].split("\r")
    assert frames[0] == ""
    assert len(frames) == 1 + 10 + 1  # each step is a second; and the end
    assert {len(frame) for frame in frames[1:]} == {79}
    bars = [frame.count("#") for frame in frames[1:]]
    assert bars == [*range(1, 11), 10]


def test_a_terminal_is_written_ten_times_a_second(shown):
    frames = shown(Terminal(), seconds=0.04).split("\r")[1:]
    assert len(frames) == 20 // 3 + 1  # every third step, and the end


def test_standard_error_by_default(shown, capsys):
    shown(None, epochs=1)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("features [####")


def test_many_steps_in_one_call(shown):
    lines = shown(
        io.StringIO(),
        interval=0,
        seconds=1,
        epochs=2,
        compile_options={"steps_per_execution": 2},
    ).splitlines()
    # Two, two and one of the five steps in a call, which takes a second.
    assert [line.count("#") for line in lines] == [2, 4, 5, 7, 9, 10, 10]
    left = [line.rsplit("  ", 1)[1] for line in lines]
    assert left[:3] == ["00:04 left", "00:03 left", "00:03 left"]
    assert left[3:] == ["00:02 left", "00:01 left", "00:00 left", "00:00 left"]


def by_hand(monkeypatch, stream, title, epochs, steps, logs):
    """Call the callback as a fit of 5 steps a second each would."""
    clock = Clock(1.0)
    monkeypatch.setattr("keras_lt.callbacks.show_progress.time", clock)
    progress = ShowProgress(title, interval=0, stream=stream)
    progress.set_params({"epochs": epochs, "steps": steps})
    progress.on_train_begin()
    for epoch in range(epochs):
        progress.on_epoch_begin(epoch)
        for batch in range(5):
            clock.steps += 1
            progress.on_train_batch_end(batch, logs)
        progress.on_epoch_end(epoch, logs)
    return stream.getvalue()


def test_steps_that_are_unknown_in_the_first_epoch(monkeypatch):
    lines = by_hand(
        monkeypatch, io.StringIO(), "features", 2, None, {"loss": 1.0}
    ).splitlines()
    assert [line.count("#") for line in lines] == [0] * 5 + [6, 7, 8, 9, 10, 10]
    left = [line.rsplit("  ", 1)[1] for line in lines]
    assert left[:5] == ["--:-- left"] * 5
    assert left[5:] == [f"00:0{n} left" for n in (4, 3, 2, 1, 0, 0)]


def test_a_long_line_keeps_the_time_left(monkeypatch):
    logs = {"loss": 0.0345, "accuracy": 1.0}
    text = by_hand(monkeypatch, Terminal(), "classifier", 320, 5, logs)
    frames = text[:-1].split("\r")[1:]
    assert {len(frame) for frame in frames} == {79}
    assert frames[0].rstrip().endswith("acc 100.0%  26:39 left")
