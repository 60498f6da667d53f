"""What to do with a data set, in plain words and with the reason."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_lt import evaluation
from keras_lt.reporting import words

EVEN, MILD = 2.0, 10.0  # imbalance ratios
SMALL_SET, LARGE_SET = 5_000, 50_000  # training images
JUDGED = 30  # test images of a class that say something of it
RARE = 5  # training images
SHOWN = 8


class Advice(NamedTuple):
    """What to do, and why."""

    what: str
    why: str


class Facts(NamedTuple):
    """What advice comes from.

    Args:
        train: Training images per class, length C.
        test: Test images per class, length C.
        has_validation: Whether there is a validation split.
        names: Of the classes.
        on_disk: Whether they are the user's files.
        unreadable: Files that cannot be read.
        leaks: Images that are in two splits.
        conflicts: Equal images with different labels.
        stretched: Images with less than half the pixels that are asked for.
    """

    train: Sequence[int]
    test: Sequence[int]
    has_validation: bool
    names: Sequence[str]
    on_disk: bool = False
    unreadable: int = 0
    leaks: int = 0
    conflicts: int = 0
    stretched: int = 0


def advise(facts: Facts) -> list[Advice]:
    """All advice that fits, the most urgent first."""
    parts = (_mend, _methods, _splits, _judge, _collect)
    return [advice for part in parts for advice in part(facts)]


def _mend(facts):
    if facts.leaks:
        yield Advice(
            "Remove images that are in two splits.",
            f"{words.count(facts.leaks)} images are in more than one of "
            "training, validation and test: accuracy on them is memory.",
        )
    if facts.conflicts:
        yield Advice(
            "Settle the labels of equal images.",
            f"{words.count(facts.conflicts)} images have equal pixels and "
            "different classes: one of two labels at least is wrong.",
        )
    if facts.unreadable:
        yield Advice(
            "Replace the files that cannot be read, or train with "
            "--unreadable=skip.",
            f"There are {words.count(facts.unreadable)}; otherwise the first "
            "one ends the training.",
        )
    if facts.stretched:
        yield Advice(
            "Choose a smaller --image_size.",
            f"{words.count(facts.stretched)} images have less than half as "
            "many pixels a side: they are stretched, which costs time and "
            "adds nothing.",
        )


def _methods(facts):
    total, ratio = sum(facts.train), max(facts.train) / min(facts.train)
    if ratio <= EVEN:
        yield Advice(
            "Plain cross entropy will do: --method=ce.",
            f"The largest class has only {ratio:.1f} times as many images as "
            "the smallest: there is no tail to speak of.",
        )
        return
    yield Advice(
        "Begin with the cheapest remedy: --method=ce --then=la.",
        f"The largest class has {ratio:.4g} times as many images as the "
        "smallest. Plain cross entropy prefers frequent classes; --then=la "
        "subtracts that preference after training, at no cost. What follows "
        "has to beat it.",
    )
    if facts.on_disk:
        yield Advice(
            "Or let what follows be chosen: --method=auto.",
            "It tries this and seven more on the same features, and takes the "
            "one that is best on training images that were held out.",
        )
    if ratio > MILD:
        why = "Of long tails, the classifier keeps large norms for frequent "
        why += "classes; weight decay and a bound on the norms take them away."
        yield Advice("Then try weight balancing: --method=wb.", why)
    if total >= LARGE_SET and ratio > MILD:
        yield Advice(
            "If you can pay for it, several experts: --method=ride.",
            f"With {words.count(total, 'images')}, experts that learn to "
            "differ are worth their time: more right in the tail and in the "
            "head.",
        )
    if facts.on_disk and total < SMALL_SET:
        yield Advice(
            "Begin from a pretrained encoder: --init_from=FILE.",
            f"{words.count(total, 'images')} are few to learn to see from.",
        )


def _splits(facts):
    least = min(facts.train)
    if facts.has_validation:
        return
    if least >= 2 * RARE:
        share = max(least // 5, 2)
        yield Advice(
            f"Hold out images to choose by: --validation_per_class={share}.",
            "There is no validation split. What is chosen on test images "
            "looks better than it is; a fifth of the smallest class costs "
            "little.",
        )
    else:
        yield Advice(
            "Choose settings on a data set like yours, or on several seeds.",
            f"The smallest class has {words.count(least, 'images')}: a "
            "validation split would take what it learns from.",
        )


def _judge(facts):
    test, number = np.array(facts.test), len(facts.test)
    small = np.flatnonzero(test < JUDGED)
    if len(small):
        least = int(test.min())
        low, high = words.wilson(0.8 * least, least) if least else (0.0, 1.0)
        yield Advice(
            f"Do not judge {_classes(facts, small)} alone.",
            f"{words.count(len(small))} of {words.count(number)} classes have "
            f"less than {JUDGED} test images. Of {least}, a class that is "
            f"right in 80 % is measured as {100 * float(low):.0f} to "
            f"{100 * float(high):.0f} %. Look at the mean over the group.",
        )
    if test.max() > EVEN * max(test.min(), 1):
        yield Advice(
            "Read balanced accuracy, not overall accuracy.",
            "The test images have a tail too: a model that knows the frequent "
            "classes alone looks good on them.",
        )


def _collect(facts):
    rare = np.flatnonzero(np.array(facts.train) < RARE)
    if len(rare):
        yield Advice(
            f"Collect images of {_classes(facts, rare)}.",
            f"With less than {RARE} training images, no method learns what "
            "varies within a class; ten more help more than any loss.",
        )


def _classes(facts: Facts, ids: np.ndarray) -> str:
    named = [str(facts.names[i]) for i in ids[:SHOWN]]
    more = len(ids) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def tail_numbers(counts: Sequence[int]) -> dict[str, Any]:
    """How long a tail is, in the words of a page."""
    return {
        "training images": words.count(sum(counts)),
        "classes": words.count(len(counts)),
        "largest class": words.count(max(counts)),
        "smallest class": words.count(min(counts)),
        "imbalance ratio": f"{max(counts) / min(counts):.4g}",
        "Gini coefficient": f"{evaluation.gini(counts):.2f}",
        "tail classes for one of the head": (
            f"{evaluation.pareto_ratio(counts):.2f}"
        ),
    }
