"""Automatic names of layers."""

import re

import keras


def reserve_names(model: keras.Model) -> None:
    """Keep automatic names of new layers off those of a model.

    A model that was loaded has names such as "reshape_3", which Keras would
    give again to a later layer; one graph can not hold both.
    """
    for operation in model.operations:
        found = re.fullmatch(r"(.*?)(?:_(\d+))?", operation.name)
        prefix, number = found.groups() if found else (operation.name, None)
        while keras.backend.get_uid(prefix) <= int(number or 0):
            pass
