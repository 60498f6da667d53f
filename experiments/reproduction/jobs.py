"""Trainings, and the lines of the tables that they give."""

import dataclasses
import pathlib
from typing import Any

SEEDS = (0, 1, 2)


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table.

    Args:
        title: What it shows.
        stage: The stage whose end it shows.
        key: `"accuracy"`, `"accuracy_without_flip"`, or the name of a view.
        published: Overall accuracy in %, or None.
        source: Where that was published.
        best: Whether it is that of the best epoch on the test images.
    """

    title: str
    stage: str
    key: str = "accuracy"
    published: float | None = None
    source: str = ""
    best: bool = False


@dataclasses.dataclass(frozen=True)
class Job:
    """A training with several seeds, and the lines that it gives.

    Args:
        name: Of the result files; it begins with the data set and the ratio.
        dataset: Name of the data set.
        ratio: Imbalance ratio; None for own images, which have theirs.
        method: Name of the method.
        flags: Further ones of `train.py`; `{needs}` stands for the folder of
            another run.
        rows: Lines of the table.
        needs: Name of the job whose run that is, or None.
        needs_seed: The seed of that run; None for the job's own.
        seeds: One run for each.
        images: Folder of own images below --data_dir.
    """

    name: str
    dataset: str
    ratio: int | None
    method: str
    flags: tuple[str, ...]
    rows: tuple[Row, ...]
    needs: str | None = None
    needs_seed: int | None = None
    seeds: tuple[int, ...] = SEEDS
    images: str = ""

    def needed_seed(self, seed: int) -> int:
        """Seed of the run that the run of a seed needs."""
        return seed if self.needs_seed is None else self.needs_seed

    def arguments(self, source: Any) -> list[str]:
        """All flags of `train.py` but seed, data and folder.

        Args:
            source: Folder of the run that it needs, or what stands for that.
        """
        return [
            f"--method={self.method}",
            f"--dataset={self.dataset}",
            *(f"--imbalance_ratio={r}" for r in [self.ratio] if r),
            *(flag.replace("{needs}", str(source)) for flag in self.flags),
        ]


@dataclasses.dataclass
class Task:
    """A process: one training, or several seeds side by side.

    Args:
        job: What is trained.
        seeds: With which seeds.
        folder: Its --workdir.
        beside_others: Whether another process was seen to work on it.
    """

    job: Job
    seeds: tuple[int, ...]
    folder: pathlib.Path
    beside_others: bool = False

    @property
    def name(self) -> str:
        """Name for people."""
        return f"{self.job.name}, seed {', '.join(map(str, self.seeds))}"
