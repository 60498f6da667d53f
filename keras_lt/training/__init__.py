"""From a recipe to a trained model."""

from keras_lt.training.checkpoint import without_optimizer
from keras_lt.training.evaluation import evaluate, predict_logits
from keras_lt.training.freezing import freeze, unfreeze
from keras_lt.training.problem import Problem
from keras_lt.training.recipe import Recipe, Stage
from keras_lt.training.run import Outcome, run

__all__ = [
    "Outcome",
    "Problem",
    "Recipe",
    "Stage",
    "evaluate",
    "freeze",
    "predict_logits",
    "run",
    "unfreeze",
    "without_optimizer",
]
