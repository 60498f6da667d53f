"""What is meant where nothing is said, of some data sets."""

import dataclasses

from keras_lt.runs.options import DataOptions
from keras_lt.runs.request import Request

OWN = ("folder", "csv")  # data sets of the user
CHOOSES = "auto"  # the method that needs validation images
SHARE = 0.2  # of each class
MINUTES = "20"


def settled(request: Request) -> Request:
    """A request that says which methods, and which images are held out."""
    own = request.images.dataset in OWN
    methods = request.choice.method or (CHOOSES if own else "wb",)
    budget = request.choice.budget or (MINUTES if own else "published")
    given = request.choice.set
    for name in ("steps", "backbone"):
        value = getattr(request.choice, name)
        if value is not None:
            given = (*given, f"{name}={value}")
    choice = dataclasses.replace(
        request.choice, method=methods, budget=budget, set=given
    )
    return dataclasses.replace(
        request, choice=choice, images=settled_images(request.images)
    )


def settled_images(images: DataOptions) -> DataOptions:
    """Options that say what share of each class is held out.

    What is not said stays 0, but for the user's own images.
    """
    share = SHARE if images.dataset in OWN else 0.0
    test, validation = images.test_share, images.validation_share
    if test is None:
        test = 0.0 if images.test_per_class else share
    if validation is None:
        validation = 0.0 if images.validation_per_class else share
    return dataclasses.replace(
        images, test_share=test, validation_share=validation
    )
