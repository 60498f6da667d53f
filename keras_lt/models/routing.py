"""Early exit in three forms that agree: masked, gathered, and counted.

Views of the models made here; `Experts` has the same for anyone's parts.
"""

import keras

from keras_lt.layers import ExpertRouter
from keras_lt.models import anatomy
from keras_lt.models.expert_parts import (
    Experts,
    check_number,
    count_experts,
    exit_early,
    route,
    with_routes,
)
from keras_lt.models.experts import expert_heads, expert_logits


def add_router(
    model: keras.Model, *, top_k: int, initial: str = "kaiming"
) -> keras.Model:
    """View of a `multi_expert` to train its new layer "router".

    Args:
        model: A `multi_expert`, or a view of one without a router.
        top_k: See `layers.ExpertRouter`.
        initial: See `layers.ExpertRouter`.

    Returns:
        Images to `(B, E, C + 1)`, see `layers.AppendRoutes`.

    Raises:
        ValueError: if there are less than two experts, `top_k` is out of
            range, or `initial` is unknown.
    """
    heads = expert_heads(model)
    check_number(len(heads))
    features = [head.input for head in heads]
    logits = [head.output for head in heads]
    router = ExpertRouter(
        top_k=top_k, initial=initial, dtype="float32", name=anatomy.ROUTER
    )
    routes = route(router, features, logits)
    both = with_routes(expert_logits(model), routes)
    return keras.Model(model.inputs[0], both, name=f"{model.name}_routed")


def early_exit(model: keras.Model) -> keras.Model:
    """View of a routed model: images to routed logits `(B, C)`.

    Computes all experts and masks: the reference, which saves no work.
    """
    logits = exit_early(expert_logits(model), anatomy.router(model).output)
    return keras.Model(model.inputs[0], logits, name="early_exit")


def experts_used(model: keras.Model) -> keras.Model:
    """View of a routed model: images to the number of experts used `(B,)`.

    The last expert is not computed: nothing depends on its answer.
    """
    used = count_experts(anatomy.router(model).output)
    return keras.Model(model.inputs[0], used, name="experts_used")


def gathered(model: keras.Model) -> keras.Model:
    """Inference model that skips the experts of the rows that have left.

    Args:
        model: A routed model or a view of one; it shares its weights.

    Returns:
        Images to `{"logits": (B, C), "experts_used": (B,)}`, see
        `Experts.gathered`.
    """
    images = model.inputs[0]
    experts = Experts(
        trunk=anatomy.trunk(model),
        encoders=anatomy.encoders(model),
        heads=expert_heads(model),
        router=anatomy.router(model),
    )
    outputs = experts.gathered(anatomy.normalized(model, images))
    return keras.Model(images, outputs, name="gathered")
