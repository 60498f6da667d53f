"""Published methods, each one function from a problem to a recipe.

`METHODS` finds a recipe by name; `PRESETS` has the hyperparameters that
differ from its defaults for a family of data sets.
"""

from keras_lt.methods import crossentropy, ldam, reslt, ride, ssd, wb

METHODS = {
    "ce": crossentropy.recipe,
    "ldam": ldam.recipe,
    "reslt": reslt.recipe,
    "ride": ride.recipe,
    "ssd": ssd.recipe,
    "wb": wb.recipe,
}
PRESETS = {
    "ce": crossentropy.PRESETS,
    "ldam": ldam.PRESETS,
    "reslt": reslt.PRESETS,
    "ride": ride.PRESETS,
    "ssd": ssd.PRESETS,
    "wb": wb.PRESETS,
}

__all__ = [
    "METHODS",
    "PRESETS",
]
