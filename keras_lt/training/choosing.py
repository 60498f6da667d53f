"""Stages of which a run ends with one: where they begin, and which it is."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras

from keras_lt.training.divergence import Diverged, make_finite
from keras_lt.training.recipe import Recipe, Stage

DIVERGED = "diverged"  # in the record of a stage, with the place


def has_diverged(record: Any) -> bool:
    """Whether a stage's record says that its training diverged."""
    return isinstance(record, Mapping) and DIVERGED in record


class Ended:
    """Models of a recipe's candidates, which stay until one is chosen.

    Args:
        recipe: With candidates or without.
    """

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.models: dict[str, keras.Model] = {}

    def before(self, stage: Stage, model: keras.Model) -> keras.Model:
        """The model that a stage goes on from.

        Args:
            stage: The next one.
            model: Of the stage before it.
        """
        if stage.name not in self.recipe.candidates[1:]:
            return model
        return self.models[stage.after or self.recipe.candidates[0]]

    def keep(self, stage: Stage, model: keras.Model) -> None:
        """Keep the model of a stage, if it is a candidate."""
        if stage.name in self.recipe.candidates:
            self.models[stage.name] = model

    @contextlib.contextmanager
    def leaving_out(
        self,
        stage: Stage,
        model: keras.Model,
        learner: keras.Model,
        check: Callable[[keras.Model], None],
    ) -> Iterator[dict[str, Any]]:
        """While a stage is trained: if it diverges, the others go on.

        That is so for all candidates but the first, whose features they share.

        Args:
            stage: Which is trained.
            model: Its model, which is finite afterwards.
            learner: What of it is compiled.
            check: Raises `Diverged` if a model is not finite.

        Yields:
            A record of the stage, which is empty if it did not diverge.
        """
        record: dict[str, Any] = {}
        try:
            yield record
            if stage.name in self.recipe.candidates[1:]:
                check(model)
        except Diverged as error:
            if stage.name not in self.recipe.candidates[1:]:
                raise
            make_finite(model, learner)
            record[DIVERGED] = error.place
            print(f"{stage.name} is left out: {error.place}", flush=True)

    def choose(
        self, model: keras.Model, records: Mapping[str, Any]
    ) -> tuple[str, keras.Model]:
        """Name and model of the stage that the run ends with.

        Args:
            model: Of the last stage.
            records: What was kept of each stage that was trained, by name.
        """
        if not self.models:
            return self.recipe.stages[-1].name, model
        own = {
            name: records[name]
            for name in self.models
            if name in records and not has_diverged(records[name])
        }
        name = self.recipe.choose(own)
        return name, self.models[name]
