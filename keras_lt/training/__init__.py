"""From a recipe to a trained model."""

from keras_lt.preemption import Preempted
from keras_lt.problem import Problem
from keras_lt.training.averages import Average
from keras_lt.training.checkpoint import without_optimizer
from keras_lt.training.clock import Clock
from keras_lt.training.divergence import Diverged
from keras_lt.training.engine.replicas import synchronize_batch_norm
from keras_lt.training.engine.steps import default_steps, fuse_steps
from keras_lt.training.engine.together import together
from keras_lt.training.evaluation import evaluate, predict, predict_logits
from keras_lt.training.freezing import freeze, unfreeze
from keras_lt.training.recipe import Recipe, Stage
from keras_lt.training.runner import Outcome, rehearse, run
from keras_lt.training.transfer import copy_weights, read_weights

__all__ = [
    "Average",
    "Clock",
    "Diverged",
    "Outcome",
    "Preempted",
    "Problem",
    "Recipe",
    "Stage",
    "copy_weights",
    "default_steps",
    "evaluate",
    "freeze",
    "fuse_steps",
    "predict",
    "predict_logits",
    "read_weights",
    "rehearse",
    "run",
    "synchronize_batch_norm",
    "together",
    "unfreeze",
    "without_optimizer",
]
