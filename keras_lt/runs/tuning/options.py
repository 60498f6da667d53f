"""What people choose for a search, as a type.

Importing this brings neither Keras nor a backend.
"""

import dataclasses

from keras_lt.domains import COUNT
from keras_lt.runs.flags import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tuning:
    """Which hyperparameters are looked for."""

    tune: tuple[str, ...] = option(
        (),
        "Hyperparameters to look for, with commas between them: l2,lr. Trials "
        "are judged by balanced accuracy on held-out training images "
        "(--validation_per_class, --validation_share), the first of them has "
        "the values of the preset; then one run has the best. It needs Optuna.",
        commas=True,
    )
    trials: int = option(20, "Trials of --tune.", domain=COUNT)
