"""Early exit in three forms that agree: masked, gathered, and counted."""

from typing import Any

import keras
from keras import layers, ops

from keras_lt.layers import AppendRoutes, EarlyExit, ExpertRouter
from keras_lt.models import anatomy
from keras_lt.models.experts import expert_heads, expert_logits, stack
from keras_lt.ops import experts_run

FRACTIONS = (0.125, 0.25, 0.5, 0.75, 1.0)


def add_router(model: keras.Model, *, top_k: int) -> keras.Model:
    """View of a `multi_expert` to train its new layer "router".

    Args:
        model: A `multi_expert`, or a view of one without a router.
        top_k: See `layers.ExpertRouter`.

    Returns:
        Images to `(B, E, C + 1)`, see `layers.AppendRoutes`.

    Raises:
        ValueError: if there are less than two experts, or `top_k` is out of
            range.
    """
    heads = expert_heads(model)
    if len(heads) < 2:
        raise ValueError(f"a router needs at least 2 experts, got {len(heads)}")
    features = stack([head.input for head in heads[:-1]])  # (B, E - 1, D)
    logits = stack([head.output for head in heads[:-1]])  # (B, E - 1, C)
    router = ExpertRouter(top_k=top_k, dtype="float32", name=anatomy.ROUTER)
    routes = router(features, logits)
    both = AppendRoutes(dtype="float32")(expert_logits(model), routes)
    return keras.Model(model.inputs[0], both, name=f"{model.name}_routed")


def early_exit(model: keras.Model) -> keras.Model:
    """View of a routed model: images to routed logits `(B, C)`.

    Computes all experts and masks: the reference, which saves no work.
    """
    routes = anatomy.router(model).output
    answer = EarlyExit(dtype="float32")
    logits = answer(expert_logits(model), routes)
    return keras.Model(model.inputs[0], logits, name="early_exit")


def experts_used(model: keras.Model) -> keras.Model:
    """View of a routed model: images to the number of experts used `(B,)`.

    The last expert is not computed: nothing depends on its answer.
    """
    count = _CountExperts(dtype="float32")
    used = count(anatomy.router(model).output)
    return keras.Model(model.inputs[0], used, name="experts_used")


def gathered(model: keras.Model) -> keras.Model:
    """Inference model that skips the experts of the rows that have left.

    After each expert the rows that go on are gathered into a smaller batch.
    On TensorFlow it has just these rows; elsewhere shapes are fixed, and they
    are padded to 1/8, 1/4, 1/2, 3/4 or all of the batch.

    Args:
        model: A routed model or a view of one; it shares its weights.

    Returns:
        Images to `{"logits": (B, C), "experts_used": (B,)}`. To be called by
        `predict`; it is neither trained nor saved.
    """
    images = model.inputs[0]
    skip = _Gather(model)
    maps = anatomy.trunk(model)(anatomy.normalized(model, images))
    logits, used = skip(maps)
    outputs = {"logits": logits, "experts_used": used}
    return keras.Model(images, outputs, name="gathered")


@keras.saving.register_keras_serializable(package="keras_lt")
class _CountExperts(layers.Layer):
    def call(self, routes):
        return ops.sum(experts_run(routes), axis=1)


class _Gather(layers.Layer):
    """Feature maps of the trunk to routed logits and experts used."""

    def __init__(self, model: keras.Model):
        super().__init__(dtype="float32", autocast=False, name="gather")
        self.heads = expert_heads(model)
        self.experts = anatomy.encoders(model)
        self.router = anatomy.router(model)
        self.dynamic = keras.backend.backend() == "tensorflow"
        self.supports_jit = not self.dynamic

    def compute_output_spec(self, maps):
        """Return the shapes without running the experts."""
        classes = self.heads[0].output.shape[-1]
        return (
            keras.KerasTensor((maps.shape[0], classes), "float32"),
            keras.KerasTensor((maps.shape[0],), "float32"),
        )

    def call(self, maps):
        """Run each expert on the rows that are still there."""
        features, total = self._expert(0, maps)
        used = ops.ones_like(total[:, 0])
        active = used > 0  # (B,)
        run = self._run_gathered if self.dynamic else self._run_padded
        for i in range(1, len(self.experts)):
            running = total / used[:, None]
            routes = self.router.route(i - 1, features, running)
            active = ops.logical_and(active, routes > 0)
            features, logits = run(i, maps, active)  # 0 where not active
            total = total + logits
            used = used + ops.cast(active, used.dtype)
        return total / used[:, None], used

    def _expert(self, i: int, maps: Any) -> tuple:
        features = self.experts[i](maps, training=False)
        features = ops.cast(features, "float32")
        return features, self.heads[i](features)

    def _empty(self, maps: Any) -> list:
        batch, head = ops.shape(maps)[0], self.heads[0]
        wide = head.input.shape[-1], head.output.shape[-1]
        return [ops.zeros((batch, width)) for width in wide]

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
