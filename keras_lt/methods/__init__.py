"""Published methods: from a problem and hyperparameters to a recipe.

`METHODS` finds one by name. Each is a `Method`: called with a problem it gives
a recipe; it knows its hyperparameters, those that were published for a family
of data sets, and which stages can follow it.
"""

from keras_lt.methods import (
    adapt,
    auto,
    balanced_softmax,
    crossentropy,
    focal,
    ldam,
    mislas,
    record,
    reslt,
    ride,
    shike,
    ssd,
    wb,
)
from keras_lt.methods.method import Method

METHODS = {
    "adapt": adapt.recipe,
    "auto": auto.recipe,
    "balanced_softmax": balanced_softmax.recipe,
    "ce": crossentropy.recipe,
    "focal": focal.recipe,
    "ldam": ldam.recipe,
    "mislas": mislas.recipe,
    "record": record.recipe,
    "reslt": reslt.recipe,
    "ride": ride.recipe,
    "shike": shike.recipe,
    "ssd": ssd.recipe,
    "wb": wb.recipe,
}

__all__ = ["METHODS", "Method"]
