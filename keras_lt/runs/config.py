"""All that decides the result of a run."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from keras_lt.image_reader import MAX_PIXELS, whole_of
from keras_lt.runs.options import Conditions, DataOptions

AVERAGE = ("average", "average_momentum", "average_from")
HASHES = ("content_sha256", "init_from_sha256", "encoder_sha256")
NEW_HASHES = ("content_sha256", "encoder_sha256")  # earlier versions have none
ELSEWHERE = ("data_dir", "unreadable")  # they decide no result
# Of images on disk, kept where it is not the default.
LIMITS = {
    "max_pixels": MAX_PIXELS,
    "allow_outside": False,
    "validation_share": 0.0,
    "test_share": 0.0,
    "small_classes": "error",
}
FIRST_VERSION_TEST = 50  # test images of a digit in version 0.1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig(Conditions):
    """What a folder is claimed with: an equal one goes on with its run.

    Args:
        method: Its name.
        then: Names of the stages after those of the method.
        hyperparameters: All of them, by name.
        data: Which images; with the imbalance ratio that they have.
        on_disk: Whether the images are files, with a size of their own.
        splits_test: Whether the data set has no test split of its own.
        split_sha256: Hash that names the training images; None if a network
            came from elsewhere and they were not there.
        content_sha256: Hash of their pixels and labels; None of files, and of
            runs of earlier versions.
        init_from_sha256: Of the file in `init_from`; None for a folder.
        encoder_sha256: Of the file of an encoder from elsewhere; None without
            one, and of runs of earlier versions.
        backend: Of Keras.
        seed: Of initial weights, sampling and augmentation.
    """

    method: str
    then: tuple[str, ...] = ()
    hyperparameters: Mapping[str, Any]
    data: DataOptions
    on_disk: bool
    splits_test: bool
    split_sha256: str | None
    content_sha256: str | None = None
    init_from_sha256: str | None = None
    encoder_sha256: str | None = None
    backend: str
    seed: int

    def to_json(self) -> dict[str, Any]:
        """JSON data in the form of `config.json` and `result.json`."""
        content = {
            "method": self.method,
            "dataset": self.data.dataset,
            "imbalance_ratio": self.data.imbalance_ratio,
            "profile": self.data.profile,
            "subset": self.data.subset,
            "validation_per_class": self.data.validation_per_class,
            "split_sha256": self.split_sha256,
            "augment": list(self.augment),
            "init_from": self.init_from,
            "from_stage": self.from_stage,
            "backend": self.backend,
            "precision": self.precision,
            "accumulate_steps": self.accumulate_steps,
            "sync_batch_norm": self.sync_batch_norm,
            "seed": self.seed,
            "hyperparameters": dict(self.hyperparameters),
        }
        if self.average:
            content |= {name: getattr(self, name) for name in AVERAGE}
        if self.then:
            content["then"] = list(self.then)
        for name in HASHES:
            if found := getattr(self, name):
                content[name] = found
        if self.on_disk:
            content["image_size"] = self.data.image_size
            own = {name: getattr(self.data, name) for name in LIMITS}
            content |= {k: v for k, v in own.items() if v != LIMITS[k]}
        if self.splits_test:
            content["test_per_class"] = self.data.test_per_class
        # Through JSON and back: tuples become lists, as in the file.
        return json.loads(json.dumps(content))

    @classmethod
    def from_json(
        cls, content: Mapping[str, Any], data_dir: str | None = None
    ) -> "RunConfig":
        """Read what `to_json` gave, here or in version 0.1.0.

        Args:
            content: The JSON data.
            data_dir: Of the data, which is no part of it.

        Raises:
            KeyError: for what is missing.
        """
        test = content.get("test_per_class")
        digits = content["dataset"] == "digits_lt"
        if digits and "test_per_class" not in content:
            test = FIRST_VERSION_TEST
        on_disk = "image_size" in content
        data = DataOptions(
            dataset=content["dataset"],
            imbalance_ratio=content["imbalance_ratio"],
            profile=content["profile"],
            subset=content["subset"],
            data_dir=data_dir,
            validation_per_class=content["validation_per_class"],
            test_per_class=test,
            **({"image_size": content["image_size"]} if on_disk else {}),
            **{k: content.get(k, default) for k, default in LIMITS.items()},
        )
        plain = ("method", "hyperparameters", "split_sha256", "backend", "seed")
        fields = {field.name for field in dataclasses.fields(Conditions)}
        if "average" not in content:  # as in most runs
            fields -= {*AVERAGE}
        own = {name: content[name] for name in (*plain, *fields)}
        own |= {name: content.get(name) for name in HASHES}
        return cls(
            **own | {"augment": tuple(content["augment"])},
            then=tuple(content.get("then", ())),
            data=data,
            on_disk=on_disk,
            splits_test=on_disk or digits,
        )

    def difference(self, other: "RunConfig") -> tuple[str, Any, Any] | None:
        """First name that differs, and its values here and there."""
        mine, theirs = (_flat(config.to_json()) for config in (self, other))
        for name in sorted(mine.keys() | theirs.keys()):
            values = mine.get(name), theirs.get(name)
            if name in NEW_HASHES and None in values:
                continue  # an earlier version did not know it
            if mine.get(name) != theirs.get(name):
                return name, mine.get(name), theirs.get(name)
        return None

    def load_data(self, data_dir: str | None = None) -> Any:
        """Load the run's own `data.ImageDataset`.

        Args:
            data_dir: In place of the run's own.

        Raises:
            ValueError: if its training images are others now.
        """
        options = dataclasses.replace(
            self.data,
            data_dir=data_dir or self.data.data_dir,
            # Images on disk have the tail that they have.
            imbalance_ratio=None if self.on_disk else self.data.imbalance_ratio,
        )
        dataset = options.load()
        for name in ("split_sha256", "content_sha256"):
            own, found = getattr(self, name), getattr(dataset, name)
            if None not in (own, found) and own != found:
                raise ValueError(
                    "--data_dir: these are not the images of the run"
                )
        return dataset

    def whole(self, size: int) -> int:
        """Pixels of a photograph's shorter side before its centre is cut out.

        Args:
            size: Pixels of a side of the model's images.
        """
        return whole_of(size) if self.on_disk else size

    def label(self, variant: Mapping[str, Any]) -> str:
        """Name of the run's folder.

        Args:
            variant: Hyperparameters in which it differs from other runs.
        """
        stages = "".join(f"+{name}" for name in self.then)
        parts = [
            f"{self.data.dataset}-{self.data.imbalance_ratio:g}",
            f"{self.method}{stages}",
            *(f"{k}={v}".replace("/", "_") for k, v in variant.items()),
            *([self.average] if self.average else []),
            f"seed{self.seed}",
        ]
        return "-".join(parts)


def _flat(content):
    own = content.pop("hyperparameters")
    return content | {f"hyperparameter {name}": own[name] for name in own}
