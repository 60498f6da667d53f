"""Routed experts made of the parts of any model."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_lt.layers import AppendRoutes, EarlyExit
from keras_lt.models.experts import stack
from keras_lt.models.gathering import Gather
from keras_lt.ops import experts_run

Tensor = Any


@dataclasses.dataclass(frozen=True)
class Experts:
    """Networks on one trunk, asked one after the other.

    The parts are layers or models with any names, of anyone's network. Each
    function here takes the trunk's input, and shares the parts' weights. What
    comes before the trunk, such as preprocessing, belongs into it, or is
    applied to the input; what comes after the logits, to the answer.

    Args:
        trunk: From the input to what all experts read; None if they read the
            input.
        encoders: E of them, from that to features `(B, D)`.
        heads: E of them, from features to logits `(B, C)`.
        router: `layers.ExpertRouter`, or a layer that is called as one is and
            has its function `route`; it computes in float32. None for experts
            that are always asked.

    Raises: ValueError: if numbers do not fit, or a part is of another kind.
        Functions raise it too, if shapes do not fit.

    Example:
        >>> from keras_lt.layers import ExpertRouter
        >>> def dense(inputs, outputs):
        ...     return keras.Sequential(
        ...         [keras.Input((inputs,)), keras.layers.Dense(outputs)]
        ...     )
        >>> experts = Experts(
        ...     trunk=dense(6, 5),
        ...     encoders=[dense(5, 4) for _ in range(3)],
        ...     heads=[dense(4, 10) for _ in range(3)],
        ...     router=ExpertRouter(top_k=2),
        ... )
        >>> x = keras.Input((6,))
        >>> keras.Model(x, experts.with_routes(x)).output_shape
        (None, 3, 11)
        >>> serve = keras.Model(x, experts.gathered(x))
        >>> serve.output["logits"].shape, serve.output["experts_used"].shape
        ((None, 10), (None,))

    Source: Wang et al., ICLR 2021, section 3.2.
    """

    trunk: keras.Layer | None
    encoders: Sequence[keras.Layer]
    heads: Sequence[keras.Layer]
    router: Any = None

    def __post_init__(self):
        """Check all that is known before there is an input."""
        number = len(self.encoders)
        if not number or len(self.heads) != number:
            raise ValueError(
                "`encoders` and `heads` must be as many, at least 1, got "
                f"{number} and {len(self.heads)}"
            )
        trunk = () if self.trunk is None else (self.trunk,)
        for part in (*trunk, *self.encoders, *self.heads):
            if not isinstance(part, keras.Layer):
                raise ValueError(
                    f"parts of `Experts` must be Keras layers, got {part!r}"
                )
        if self.router is not None:
            self._check_router(number)

    def _check_router(self, number):
        check_number(number)
        if not hasattr(self.router, "route"):
            raise ValueError(
                "`router` must have a function `route`, as "
                f"`layers.ExpertRouter` has, got {self.router!r}"
            )
        if self.router.compute_dtype != "float32":
            raise ValueError(
                '`router` must be made with `dtype="float32"`, got '
                f"{self.router.compute_dtype}"
            )

    def logits(self, x: Tensor) -> Tensor:
        """All logits `(B, E, C)`, to train on."""
        return stack(self._answers(x)[1])

    def with_routes(self, x: Tensor) -> Tensor:
        """Logits and routes, see `layers.AppendRoutes`: trains the router."""
        return with_routes(*self._routed(x))

    def early_exit(self, x: Tensor) -> Tensor:
        """Routed logits `(B, C)`, for which all experts are computed."""
        return exit_early(*self._routed(x))

    def experts_used(self, x: Tensor) -> Tensor:
        """Number of experts that each row uses, `(B,)`."""
        return count_experts(self._routed(x)[1])

    def gathered(self, x: Tensor) -> dict[str, Tensor]:
        """Logits `(B, C)` and experts used `(B,)`, skipping the others.

        Args:
            x: Input of the trunk. Encoders, heads and router must be built.

        Returns:
            `{"logits": ..., "experts_used": ...}`; a model of it is called by
            `predict`, and neither trained nor saved. See `gathering.Gather`.
        """
        for part in (*self.encoders, *self.heads, self._required_router()):
            if not part.built:
                raise ValueError(
                    f"{part.name!r} has no weights yet: call it, or make a "
                    "model of `with_routes`, before `gathered`"
                )
        maps = x if self.trunk is None else self.trunk(x)
        read = keras.KerasTensor(maps.shape, maps.dtype)
        features = [each.compute_output_spec(read) for each in self.encoders]
        logits = [
            head.compute_output_spec(each)
            for head, each in zip(self.heads, features, strict=True)
        ]
        widths = self._widths(features, logits)
        shapes = [(maps.shape[0], len(self.heads) - 1, w) for w in widths]
        specs = [keras.KerasTensor(shape, "float32") for shape in shapes]
        self._check_routes(self.router.compute_output_spec(*specs))
        gather = Gather(self.encoders, self.heads, self.router, widths)
        answer, used = gather(maps)
        return {"logits": answer, "experts_used": used}

    def _answers(self, x):
        """Features and logits of every expert."""
        x = x if self.trunk is None else self.trunk(x)
        features = [encode(x) for encode in self.encoders]
        logits = [
            head(each) for head, each in zip(self.heads, features, strict=True)
        ]
        self._widths(features, logits)
        return features, logits

    def _routed(self, x):
        """All logits and routes."""
        router = self._required_router()
        features, logits = self._answers(x)
        routes = route(router, features, logits)
        self._check_routes(routes)
        return stack(logits), routes

    def _required_router(self):
        if self.router is None:
            raise ValueError("`Experts` needs a `router` for this, got None")
        return self.router

    def _widths(self, features, logits):
        """D and C."""
        for name, found in (("encoders", features), ("heads", logits)):
            shapes = [tuple(each.shape) for each in found]
            if len(shapes[0]) != 2 or len({shape[1:] for shape in shapes}) > 1:
                raise ValueError(
                    f"`{name}` must all give vectors of one length, got shapes "
                    f"{shapes}"
                )
        return features[0].shape[-1], logits[0].shape[-1]

    def _check_routes(self, routes):
        wanted = len(self.heads) - 1
        if tuple(routes.shape[1:]) != (wanted,):
            raise ValueError(
                f"`router` must give {wanted} logits for {wanted + 1} experts, "
                f"got shape {tuple(routes.shape)}"
            )


def check_number(experts: int) -> None:
    """Refuse routers without a second expert."""
    if experts < 2:
        raise ValueError(f"a router needs at least 2 experts, got {experts}")


def route(router: Any, features: list, logits: list) -> Tensor:
    """Router logits `(B, E - 1)` from what each of E experts says."""
    return router(stack(features[:-1]), stack(logits[:-1]))


def with_routes(logits: Tensor, routes: Tensor) -> Tensor:
    """Logits `(B, E, C)` and routes as one tensor `(B, E, C + 1)`."""
    return AppendRoutes(dtype="float32")(logits, routes)


def exit_early(logits: Tensor, routes: Tensor) -> Tensor:
    """Routed logits `(B, C)` from all logits `(B, E, C)`."""
    return EarlyExit(dtype="float32")(logits, routes)


def count_experts(routes: Tensor) -> Tensor:
    """Number of experts used `(B,)`, from routes `(B, E - 1)`."""
    return _CountExperts(dtype="float32")(routes)


@keras.saving.register_keras_serializable(package="keras_lt")
class _CountExperts(layers.Layer):
    def call(self, routes):
        return ops.sum(experts_run(routes), axis=1)
