"""What is meant where nothing is said, of some data sets."""

import dataclasses

from keras_lt.runs.options import DataOptions
from keras_lt.runs.request import Request

OWN = ("folder", "csv")  # data sets of the user
CHOOSES = "auto"  # the method that needs validation images
SHARE = 0.2  # of each class


def settled(request: Request) -> Request:
    """A request that says which methods, and on what `auto` chooses."""
    choice, images = request.choice, request.images
    own = images.dataset in OWN
    methods = choice.method or (CHOOSES if own else "wb",)
    choice = dataclasses.replace(choice, method=methods)
    if CHOOSES in methods and _holds_none_out(images):
        images = dataclasses.replace(images, validation_share=SHARE)
    return dataclasses.replace(request, choice=choice, images=images)


def _holds_none_out(images: DataOptions) -> bool:
    asked = images.validation_per_class or images.validation_share
    return images.dataset in OWN and not asked
