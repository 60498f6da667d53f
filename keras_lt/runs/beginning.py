"""What happens when a run begins, goes on, or diverges."""

from collections.abc import Callable

from keras_lt import training
from keras_lt.data import ImageDataset
from keras_lt.runs import provenance
from keras_lt.runs.config import RunConfig
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.manner import Manner
from keras_lt.runs.start import Start
from keras_lt.training.divergence import add_record, read_records

RESTARTS = 3  # after as many, a run that diverges stops


def begin(
    folder: RunFolder,
    config: RunConfig,
    manner: Manner,
    command: str,
    dataset: ImageDataset,
    start: Start | None,
) -> None:
    """Claim a folder, and say what is trained on which images.

    Args:
        folder: Of the run.
        config: Of the run.
        manner: How it is carried out.
        command: As it was typed.
        dataset: Its images.
        start: Where its first weights come from.
    """
    counts = dataset.class_counts
    print(
        f"{folder.path}: {config.method} on {dataset.name}, "
        f"{sum(counts):,} training images in {len(counts)} classes "
        f"({max(counts)} to {min(counts)}), split "
        f"{dataset.split_sha256[:16]}, {config.backend}",
        flush=True,
    )
    if start:
        print(f"stage {start.stage} starts from {start.file}", flush=True)
    differs = folder.begin(
        config,
        provenance.surroundings(),
        command=command,
        data_dir=config.data.data_dir,
        flip_tta=manner.flip_tta,
        versions=provenance.versions(),
    )
    if differs:
        print(
            f"the run began elsewhere ({'; '.join(differs)}): its last bits "
            "may not be those of a run that was not interrupted",
            flush=True,
        )


def restarting(
    train: Callable[[], training.Outcome], folder: RunFolder, restarts: bool
) -> training.Outcome:
    """Train, and after a divergence again with half the learning rate.

    Args:
        train: Goes on from the last checkpoint, at the rate that
            `divergences.json` leaves of the recipe's.
        folder: Of the run.
        restarts: Whether to try again, up to three times.

    Raises:
        Diverged: if it diverges once more.
    """
    while True:
        try:
            return train()
        except training.Diverged as error:
            number = len(read_records(folder.divergences)) + 1
            if not restarts or number > RESTARTS:
                raise
            add_record(folder.divergences, error)
            print(
                f"{error}; restart {number} of {RESTARTS} with half the rate",
                flush=True,
            )
