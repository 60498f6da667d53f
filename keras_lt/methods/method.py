"""A published method: its recipe, its hyperparameters, its presets."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from keras_lt import hyperparameters
from keras_lt.hyperparameters import grouped, nearest
from keras_lt.methods.following import THEN
from keras_lt.methods.settings import domains
from keras_lt.methods.settings.shared import Variant
from keras_lt.models import anatomy, new_heads
from keras_lt.training import Problem, Recipe, Stage


class Method:
    """A function from a problem to a recipe, with what is known about it.

    The function's keyword arguments are hyperparameters, or groups of them:
    dataclasses whose docstrings describe the fields. From outside all are
    flat: `method(problem, lr=0.1)` sets a field of whichever group has `lr`.

    Args:
        function: Its docstring is the method's. A line on a field there goes
            before the one of the group.
        presets: By family of data sets, the hyperparameters that differ from
            the defaults.
        variants: By family, what differs from its preset for some networks.
        after: Names of the stages that follow, see `then`.

    Call arguments: a `Problem` and hyperparameters by their flat names; an
        object of a group stands for all its fields.
    Returns: a `training.Recipe`.
    Raises: TypeError: for a name that is none, with the nearest one.

    Attributes:
        presets: As given, with those of the stages that follow.
        variants: As given.
        defaults: Default values of all hyperparameters, by flat name.
        hints: Their types.
        descriptions: Their lines of the documentation.

    Example:
        >>> from keras_lt.methods.settings.shared import SGDSettings
        >>> def recipe(problem, *, sgd: SGDSettings, n: int = 3):
        ...     '''Do nothing.
        ...
        ...     Args:
        ...         n: How many.
        ...     '''
        >>> list(Method(recipe, {}).then(["tau"]).defaults)
        ['lr', 'momentum', 'nesterov', 'l2', 'n', 'tau_exponent', 'tau_bias']
    """

    def __init__(
        self,
        function: Callable[..., Recipe],
        presets: Mapping[str, Mapping[str, Any]],
        variants: Mapping[str, Sequence[Variant]] | None = None,
        after: Sequence[str] = (),
    ):
        self.function, self.after = function, tuple(after)
        self._own_presets, self.variants = presets, variants or {}
        self.presets: dict[str, dict[str, Any]] = {}
        found = []
        parts: list[tuple[str, Callable, Mapping]] = [("", function, presets)]
        parts += [(f"{name}_", *THEN[name]) for name in self.after]
        for prefix, make, families in parts:
            for each in hyperparameters.of(make):
                found.append((prefix + each.name, each))
            for family, values in families.items():
                preset = self.presets.setdefault(family, {})
                preset |= {prefix + name: v for name, v in values.items()}
        self.defaults = {name: each.default for name, each in found}
        self.hints = {name: each.hint for name, each in found}
        self.descriptions = {name: each.description for name, each in found}
        self._look_like_a_function()

    def __call__(self, problem: Problem, **given: Any) -> Recipe:
        """Return the recipe for a problem."""
        values = self.defaults | self._flat(given)
        domains.check(values, self.after)
        recipe = self.function(problem, **grouped(self.function, values))
        following = []
        for name in self.after:
            own = {
                key.removeprefix(f"{name}_"): value
                for key, value in values.items()
                if key.startswith(f"{name}_")
            }
            if own.get("batch_size", 0) is None:
                own["batch_size"] = values["batch_size"]
            make, _ = THEN[name]
            if own.get("epochs") != 0:
                following.append(make(problem, **grouped(make, own)))
        return _followed(recipe, following) if following else recipe

    def then(self, names: Collection[str]) -> "Method":
        """The method with further stages, named as in `following.THEN`.

        Each works on the classifiers of the stage before it, whatever the
        method: of every expert, of residual branches in their sum, of
        self-distillation on the served head. Routers are left out: they were
        trained for other classifiers. Hyperparameters get the stage's name in
        front; with `crt_epochs=0` that stage is left out.

        Args:
            names: In their order.

        Raises:
            ValueError: if one is unknown, there twice, or after "ncm", which
                leaves nothing to go on with.
        """
        after = (*self.after, *names)
        for name in after:
            if name not in THEN:
                raise ValueError(
                    f"`then`: no stage {name!r}{nearest(name, THEN)}"
                )
        if len(set(after)) < len(after) or "ncm" in after[:-1]:
            raise ValueError(
                "further stages must differ, and 'ncm' be the last one, got "
                f"{[*after]}"
            )
        return Method(self.function, self._own_presets, self.variants, after)

    def published(
        self, family: str, given: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """All hyperparameters, as published for a family of data sets.

        Those are the defaults, the family's preset, and its variants that fit
        the network that is asked for.

        Args:
            family: Such as "imagenet_lt"; the defaults for one without preset.
            given: Hyperparameters that are asked for. They choose variants,
                and are not put into the result.

        Returns:
            Values by flat name.
        """
        values = self.defaults | self.presets.get(family, {})
        asked = values | dict(given or {})
        for variant in self.variants.get(family, ()):
            if variant.fits(asked):
                values |= variant.values
        return values

    def scale_epochs(
        self, values: Mapping[str, Any], factor: float
    ) -> dict[str, Any]:
        """Scale the epochs of every stage.

        Args:
            values: Hyperparameters by flat name.
            factor: On their epochs; a stage that is not left out keeps two, and
                its warm-up one.

        Returns:
            All values.
        """

        def scaled(epochs):
            if isinstance(epochs, tuple):
                return tuple(map(scaled, epochs))
            return epochs and max(round(epochs * factor), min(epochs, 2))

        names = {"epochs", *(f"{name}_epochs" for name in self.after)}
        found = {n: scaled(v) if n in names else v for n, v in values.items()}
        if warmup := found.get("warmup_epochs"):
            found["warmup_epochs"] = max(round(warmup * factor), 1)
        return found

    def _flat(self, given: Mapping[str, Any]) -> dict[str, Any]:
        values = {}
        for name, value in given.items():
            if name in self.defaults:
                values[name] = value
            elif dataclasses.is_dataclass(value):  # a whole group
                values |= self._flat(vars(value))
            else:
                raise TypeError(
                    f"no hyperparameter {name!r}{nearest(name, self.defaults)}"
                )
        return values

    def _look_like_a_function(self) -> None:
        """For `help`, `inspect.signature` and doctest."""
        functools.update_wrapper(self, self.function)
        self.__annotations__ = self.hints
        parameters = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=self.hints[name],
            )
            for name, default in self.defaults.items()
        ]
        first = next(iter(inspect.signature(self.function).parameters.values()))
        self.__signature__ = inspect.Signature([first, *parameters])
        text = inspect.getdoc(self.function) or ""
        given = hyperparameters.described(self.function)
        entries = {first.name: given.get(first.name, "")} | self.descriptions
        self.__doc__ = hyperparameters.with_arguments(text, entries)


def method(
    presets: Mapping[str, Mapping[str, Any]],
    variants: Mapping[str, Sequence[Variant]] | None = None,
    after: Sequence[str] = (),
) -> Callable[[Callable[..., Recipe]], Method]:
    """Make a `Method` of the function that follows.

    Args:
        presets: See `Method`.
        variants: See `Method`.
        after: See `Method`.
    """
    return lambda function: Method(function, presets, variants, after)


def _followed(recipe: Recipe, following: Sequence[Stage]) -> Recipe:
    """Append stages, whose models bear their names."""
    if recipe.candidates:
        raise ValueError(
            "`then`: the method itself chooses what its features are followed "
            f"by, of {', '.join(recipe.candidates)}; stages that follow need "
            "another method, such as ce"
        )
    names = {stage.name for stage in following}

    def serve(model):
        new = anatomy.bears(model, names)
        return new_heads.served(model) if new else recipe.serve(model)

    def views(model):
        new = anatomy.bears(model, names)
        return new_heads.views(model) if new else recipe.views(model)

    every = (*recipe.stages, *following)
    return dataclasses.replace(recipe, stages=every, serve=serve, views=views)
