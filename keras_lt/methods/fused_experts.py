"""What methods on experts of different depth share."""

import dataclasses
from typing import Any, Literal

from keras_lt.losses import LogitAdjustedLoss
from keras_lt.methods.settings.shared import Network
from keras_lt.methods.stages import start_at_class_means, tuned
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import (
    ensemble,
    expert_views,
    fused_experts,
    new_heads,
)
from keras_lt.training import Problem, Recipe, Stage

NETWORK = Network("resnet32b")


@dataclasses.dataclass(frozen=True)
class FusedExperts:
    """Experts of different depth, see `models.fused_experts`.

    Args:
        num_experts: Experts, >= 1.
        head: Classifiers, "cosine" or "linear".
    """

    num_experts: int = 3
    head: Literal["cosine", "linear"] = "cosine"

    def recipe(
        self, problem: Problem, network: Network, *stages: Stage, **options: Any
    ) -> Recipe:
        """Train them; served is the mean of their logits.

        Args:
            problem: Shape and class counts.
            network: What they are made of.
            *stages: One after the other; those that have nothing to do are
                left out.
            **options: Of `training.Recipe`.
        """
        return Recipe(
            build=lambda: fused_experts(
                network.backbone,
                problem,
                num_experts=self.num_experts,
                width=network.width,
                head=self.head,
            ),
            stages=tuple(s for s in stages if s.epochs or s.solve),
            metrics=lambda: shot_accuracy_metrics(
                problem.class_counts,
                num_views=self.num_experts,
                groups=problem.groups,
            ),
            serve=ensemble,
            views=expert_views,
            **options,
        )


def at_class_means() -> Stage:
    """Draw the classifiers anew, and set them to the means of the classes.

    What `tuned` takes up from there has little left to learn. From random
    class vectors, at a scale of 30, its first steps make some so long that
    they turn no more, and their classes are never answered; a few hundred
    steps do not mend that.
    """
    return Stage(
        name="means",
        epochs=0,
        setup=lambda model: new_heads.remade(model, new_heads.redrawn, "means"),
        solve=start_at_class_means,
        features=new_heads.features,
        needs=new_heads.own_heads,
    )


def relearned(
    problem: Problem, name: str, epochs: int, **options: Any
) -> Stage:
    """Draw the classifiers anew, and train them alone on adjusted logits.

    Args:
        problem: Shape and class counts.
        name: Of the stage.
        epochs: Of it.
        **options: See `stages.tuned`.
    """
    return tuned(
        name,
        epochs,
        view=lambda model: new_heads.remade(model, new_heads.redrawn, name),
        loss=LogitAdjustedLoss(problem.class_counts),
        needs=new_heads.own_heads,
        **options,
    )
