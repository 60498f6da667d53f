"""Inference that runs each expert on the rows that ask for it."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

FRACTIONS = (0.125, 0.25, 0.5, 0.75, 1.0)


class Gather(layers.Layer):
    """What experts read, to routed logits and the number of experts used.

    After each expert the rows that go on are gathered into a smaller batch.
    On TensorFlow it has just these rows; elsewhere shapes are fixed, and they
    are padded to 1/8, 1/4, 1/2, 3/4 or all of the batch.

    Args:
        encoders: E built layers, from what is read to features `(B, D)`.
        heads: E built layers, from features to logits `(B, C)`.
        router: Has a function `route`, as `layers.ExpertRouter`.
        widths: D and C.

    Inputs: `(B, ...)`.
    Returns: `(B, C)` and `(B,)`, of float32.
    """

    def __init__(
        self,
        encoders: Sequence[keras.Layer],
        heads: Sequence[keras.Layer],
        router: Any,
        widths: tuple[int, int],
    ):
        super().__init__(dtype="float32", autocast=False, name="gather")
        self.encoders = list(encoders)
        self.heads = list(heads)
        self.router = router
        self.widths = widths
        self.dynamic = keras.backend.backend() == "tensorflow"
        self.supports_jit = not self.dynamic

    def compute_output_spec(self, maps):
        """Return the shapes without running the experts."""
        return (
            keras.KerasTensor((maps.shape[0], self.widths[1]), "float32"),
            keras.KerasTensor((maps.shape[0],), "float32"),
        )

    def call(self, maps):
        """Run each expert on the rows that are still there."""
        features, total = self._expert(0, maps)
        used = ops.ones_like(total[:, 0])
        active = used > 0  # (B,)
        run = self._run_gathered if self.dynamic else self._run_padded
        for i in range(1, len(self.encoders)):
            running = total / used[:, None]
            routes = self.router.route(i - 1, features, running)
            active = ops.logical_and(active, routes > 0)
            features, logits = run(i, maps, active)  # 0 where not active
            total = total + logits
            used = used + ops.cast(active, used.dtype)
        return total / used[:, None], used

    def _expert(self, i: int, maps: Any) -> tuple:
        features = self.encoders[i](maps, training=False)
        features = ops.cast(features, "float32")
        logits = self.heads[i](features, training=False)
        return features, ops.cast(logits, "float32")

    def _empty(self, maps: Any) -> list:
        batch = ops.shape(maps)[0]
        return [ops.zeros((batch, width)) for width in self.widths]

    def _run_gathered(self, i, maps, active):
        def run():
            rows = ops.nonzero(active)[0]
            parts = self._expert(i, ops.take(maps, rows, axis=0))
            return [
                ops.scatter(
                    rows[:, None], part, (ops.shape(maps)[0], part.shape[-1])
                )
                for part in parts
            ]

        # TensorFlow on a CPU fails in convolutions of no rows at all.
        return ops.cond(ops.any(active), run, lambda: self._empty(maps))

    def _run_padded(self, i, maps, active):
        batch = maps.shape[0]
        sizes = sorted({max(round(batch * part), 1) for part in FRACTIONS})
        order = ops.argsort(ops.cast(active, "int32"))[::-1]  # active first

        def first(size):
            def run():
                parts = self._expert(i, ops.take(maps, order[:size], axis=0))
                rest = [[0, batch - size], [0, 0]]
                return [ops.pad(values, rest) for values in parts]

            return run

        count = ops.sum(ops.cast(active, "int32"))
        least = ops.sum(ops.cast(count > ops.array([0, *sizes]), "int32"))
        branches = [lambda: self._empty(maps), *map(first, sizes)]
        values = ops.switch(least, branches)
        place = ops.argsort(order)
        mask = ops.cast(active, "float32")[:, None]
        return [mask * ops.take(value, place, axis=0) for value in values]
