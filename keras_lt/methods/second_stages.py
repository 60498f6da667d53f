"""Stages that can follow any method: `following.THEN` has their names."""

from typing import Any, Literal

import keras
import numpy as np

from keras_lt import stats
from keras_lt.constraints import ClassMaxNorm
from keras_lt.layers import CosineClassifier
from keras_lt.losses import ClassBalancedLoss, LabelAwareSmoothing
from keras_lt.methods.stages import Tuning, constrained
from keras_lt.models import new_heads
from keras_lt.training import Problem, Stage

RETRAINING = Tuning()
SCALING = Tuning(epochs=5, lr=0.2, l2=5e-4)
SMOOTHING = Tuning(sampler="class_aware")
OVER_SMOOTHING = Tuning(
    epochs=20, lr=5e-4, l2=0.0, batch_size=64, sampler="instance"
)
CAPPING = Tuning(lr=0.01, l2=0.1, batch_size=64, sampler="instance")


def retrain_head(problem: Problem, *, tuning: Tuning = RETRAINING) -> Stage:
    """Draw the classifier anew and train it on balanced classes (cRT).

    Args:
        problem: Shape and class counts.
        tuning: See `stages.Tuning`.

    Source: Kang et al., ICLR 2020; `facebookresearch/classifier-balancing`.
    Differs from the released code: the rate of the last epoch is not 0; no
        settings were published for CIFAR.
    """
    return tuning.stage("crt", new_heads.redrawn)


def scale_classes(problem: Problem, *, tuning: Tuning = SCALING) -> Stage:
    """Learn one factor for each class on balanced classes (LWS).

    Args:
        problem: Shape and class counts.
        tuning: See `stages.Tuning`.

    Source: Kang et al., ICLR 2020; `facebookresearch/classifier-balancing`.
    Differs from the released code: the rate of the last epoch is not 0.
    """
    return tuning.stage("lws", new_heads.scaled, chosen=new_heads.scales)


def smooth_by_class(
    problem: Problem,
    *,
    tuning: Tuning = SMOOTHING,
    head: float = 0.4,
    tail: float = 0.1,
    form: Literal["concave", "linear", "convex"] = "concave",
    lr_factor: float = 0.2,
) -> Stage:
    """Go on with the classifier and a factor for each class (MiSLAS).

    They learn from labels that are smoothed more for frequent classes, on
    balanced classes.

    Args:
        problem: Shape and class counts.
        tuning: See `stages.Tuning`.
        head: Smoothing of the most frequent class, in [0, 1].
        tail: Smoothing of the rarest one.
        form: Of what lies between, see `losses.LabelAwareSmoothing`.
        lr_factor: On the rate of the classifier; the factors of the classes
            learn at the whole one.

    Source: Zhong et al., CVPR 2021; `dvlab-research/MiSLAS`.
    Differs from the released code: on Places-LT the batch statistics of all
        blocks move, not only those of the last one.
    """
    return tuning.stage(
        "mislas",
        new_heads.scaled,
        loss=LabelAwareSmoothing(
            problem.class_counts, head=head, tail=tail, form=form
        ),
        chosen=lambda model: new_heads.heads(model) + new_heads.scales(model),
        rate_factors={"kernel": lr_factor, "bias": lr_factor},
    )


def over_smooth(
    problem: Problem,
    *,
    tuning: Tuning = OVER_SMOOTHING,
    smoothing: float = 0.98,
) -> Stage:
    """Go on with the classifier on labels that say next to nothing (LOS).

    Args:
        problem: Shape and class counts.
        tuning: See `stages.Tuning`.
        smoothing: What is spread over all classes, in [0, 1].

    Source: Sun et al., ICLR 2025; `bilibili/LOS`, CIFAR-100-LT.
    """
    loss = LabelAwareSmoothing(
        problem.class_counts, head=smoothing, tail=smoothing
    )
    return tuning.stage("los", new_heads.same, loss=loss)


def cap_norms(
    problem: Problem,
    *,
    tuning: Tuning = CAPPING,
    beta: float = 0.9999,
    radius_fraction: float = 0.1,
    projection: Literal["epoch", "step"] = "epoch",
) -> Stage:
    """Go on with the classifier as weight balancing does.

    Under the binary form of the class-balanced loss, strong weight decay and
    a ball for the class vectors.

    Args:
        problem: Shape and class counts.
        tuning: See `stages.Tuning`.
        beta: Of the class-balanced loss, in [0, 1).
        radius_fraction: Radius of the ball, between the smallest (0) and the
            largest (1) class norm.
        projection: When class vectors are pulled back onto the ball: once an
            "epoch", as released, or after every "step", as in the paper.

    Source: Alshammari et al., CVPR 2022; `ShadeAlsha/LTR-weight-balancing`.
    """

    def ball(head):
        if isinstance(head, CosineClassifier):
            raise ValueError(
                "stage 'maxnorm' would change nothing: in a cosine classifier "
                "the norms of class vectors have no say; stage 'lws' before it "
                "learns norms"
            )
        kernel = keras.ops.convert_to_numpy(head.kernel)
        return ClassMaxNorm(stats.max_norm_radius(kernel, radius_fraction))

    return tuning.stage(
        "maxnorm",
        new_heads.same,
        loss=ClassBalancedLoss(
            problem.class_counts, beta=beta, form="softmax_bce"
        ),
        shift=1,
        **constrained(new_heads.heads_by_path, ball, projection),
    )


def normalise(
    problem: Problem, *, exponent: float = 1.0, bias: bool = False
) -> Stage:
    """Divide each class vector by its norm to a power (tau).

    Args:
        problem: Shape and class counts.
        exponent: The power, >= 0: 0 changes nothing, 1 makes all norms equal.
        bias: Whether to keep the biases; left out as published.

    Source: Kang et al., ICLR 2020; `facebookresearch/classifier-balancing`.
    """
    return _without_epochs("tau", new_heads.normalised(exponent, bias))


def adjust_logits(problem: Problem, *, tau: float = 1.0) -> Stage:
    """Subtract `tau` times the log priors from the logits (LA, post hoc).

    It suits classifiers that know the classes' frequencies; one that was
    trained on balanced classes, or with a loss that allows for the priors,
    is corrected a second time.

    Args:
        problem: Shape and class counts.
        tau: Exponent of the priors; 0 changes nothing.

    Source: Menon et al., ICLR 2021; `google-research:logit_adjustment`.
    Differs from the released code: a class without images is an error.
    """
    return _adjusted("la", problem, tau)


def adjust_in_part(problem: Problem, *, percent: int) -> Stage:
    """Stage "la25", "la50" and so on: `adjust_logits` by so many percent."""
    return _adjusted(f"la{percent}", problem, percent / 100)


def give_back(problem: Problem, stage: str, *, percent: int) -> Stage:
    """Add log priors to what learned without them, but for `percent` of them.

    Args:
        problem: Has the class counts.
        stage: The candidate before, trained under the logit-adjusted loss.
        percent: That stay away: 100 would change nothing.
    """
    return _adjusted(f"{stage}{percent}", problem, percent / 100 - 1, stage)


def _adjusted(name, problem, tau, after=None):
    priors = np.array(problem.class_counts) / sum(problem.class_counts)
    remake = new_heads.shifted(-tau * np.log(priors))
    return _without_epochs(name, remake, after=after)


def nearest_class_mean(
    problem: Problem,
    *,
    distance: Literal["euclidean", "cosine"] = "euclidean",
) -> Stage:
    """Ask which class mean of the training images is nearest (NCM).

    Args:
        problem: Shape and class counts.
        distance: "euclidean" of centered features of length 1, as released,
            or "cosine", see `layers.NearestClassMean`.

    Source: Kang et al., ICLR 2020; `facebookresearch/classifier-balancing`.
    """

    def solve(model: keras.Model, found: Any, labels: Any) -> None:
        for head, own in new_heads.with_own_features(model, found):
            head.adapt(own, labels)

    return _without_epochs(
        "ncm",
        new_heads.nearest_mean(distance),
        solve=solve,
        features=new_heads.features,
    )


def _without_epochs(
    name: str, remake: new_heads.Remake, **options: Any
) -> Stage:
    return Stage(
        name=name,
        epochs=0,
        setup=lambda model: new_heads.remade(model, remake, name),
        needs=new_heads.own_heads,
        **options,
    )
