"""Stages of which a run ends with one: where they begin, and which it is."""

from collections.abc import Mapping
from typing import Any

import keras

from keras_lt.training.recipe import Recipe, Stage


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
        return self.models[self.recipe.candidates[0]]

    def keep(self, stage: Stage, model: keras.Model) -> None:
        """Keep the model of a stage, if it is a candidate."""
        if stage.name in self.recipe.candidates:
            self.models[stage.name] = model

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
        own = {name: records[name] for name in self.models if name in records}
        name = self.recipe.choose(own)
        return name, self.models[name]
