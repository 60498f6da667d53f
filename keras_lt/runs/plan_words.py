"""Plans in words, and methods that may not help with them."""

from keras_lt.runs.budget import Plan, Speed, Work

# Methods of which nothing shows that they help in a part of their epochs.
MILD = 10.0  # imbalance ratio below which there is hardly a tail
LONG = ("ldam", "mislas", "record", "reslt", "ride", "shike", "ssd", "wb")


def warning(
    method: str, epochs: int, published: int, ratio: float
) -> str | None:
    """What to say of a method that may not help here, and why; or None.

    Args:
        method: Its name.
        epochs: That it gets.
        published: Those of its recipe.
        ratio: Images of the largest class over those of the smallest.
    """
    if method not in LONG:
        return None
    reasons = []
    if 2 * epochs < published:
        reasons.append(
            f"it has {epochs} of the {published} epochs of its recipe"
        )
    if ratio < MILD:
        reasons.append(f"the largest class has {ratio:.2g} times the smallest")
    if not reasons:
        return None
    return (
        f"--method={method} may not help here, as {' and '.join(reasons)}: it "
        "was published for about 200 epochs and a ratio of 100; auto and ce "
        "need less"
    )


def describe(plan: Plan, work: Work, speed: Speed) -> str:
    """The plan in words."""
    size, more = plan.size, ""
    if plan.seconds > 60 * plan.minutes:
        more = ", the least that there is"
    return (
        f"plan: {size.backbone} on {size.pixels}x{size.pixels} pixels, "
        f"{plan.epochs} epochs of {work.images:,} images in batches of "
        f"{plan.batch_size}; {1000 * (speed.step + speed.read):.3g} ms an "
        f"image, of which {1000 * speed.read:.3g} to read it; about "
        f"{plan.seconds / 60:.2g} of {plan.minutes:g} minutes{more} "
        "(--budget=MINUTES; --budget=published plans nothing)"
    )
