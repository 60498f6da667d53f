"""What people choose for a run, as types; the command line is made of them.

Importing this brings neither Keras nor a backend.
"""

import dataclasses
from typing import Any

from keras_lt.domains import COUNT, NUMBER, Domain
from keras_lt.image_reader import MAX_PIXELS
from keras_lt.runs.flags import option
from keras_lt.runs.known_data import IMAGE_SIZE, check_dataset

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """Which runs: methods, hyperparameters, seeds."""

    method: tuple[str, ...] | None = option(
        None,
        "Method; several with commas between them. Default: auto, which "
        "chooses, for folder and csv; else wb.",
        commas=True,
    )
    backbone: str | None = option(
        None, "A ResNet, keras.applications.NAME, keras_hub:... or .keras file."
    )
    set: tuple[str, ...] = option(
        (), "A hyperparameter, NAME=VALUE. Repeat for more."
    )
    steps: int | None = option(
        None, "Last step of adapt. Default: 2.", domain=Domain(0, 2)
    )
    sweep: tuple[str, ...] = option(
        (),
        "NAME=VALUE,VALUE,...: a run for each, and a table. Repeat for more.",
    )
    then: tuple[str, ...] = option(
        (),
        "Stages after those of the method, with commas between them: crt "
        "(classifier retrained on balanced classes), lws (learned factors of "
        "classes), mislas (both on, with smoothed labels), los (labels "
        "smoothed to next to nothing), maxnorm (second stage of wb), tau "
        "(norms divided out), la (log priors subtracted), ncm (nearest class "
        "mean). Repeat for alternatives: each method is trained once, and "
        "every --then goes on from there; a table shows them all.",
        domain=Domain(empty=True),
    )
    budget: str | None = option(
        None,
        "Minutes that a run may take, from which network, image size, epochs, "
        "batch and rates follow, but for those that are given; or published. "
        "Default: 20 for folder and csv, else published.",
    )
    epochs_scale: float = option(
        1.0,
        "Factor on the epochs of every stage, and of warm-up.",
        domain=Domain(0, 1e6, above=True),
    )
    batch_size: int | None = option(
        None,
        "Images of an update, over all devices. Default: the method's.",
        domain=COUNT,
    )
    lr_scaling: str = option(
        "none",
        "Learning rates of another than the method's batch size: none keeps "
        "them, linear makes them proportional to it (but not those of --set).",
        domain=Domain(known=("none", "linear")),
    )
    seed: tuple[str, ...] | None = option(
        None, "Seed; several with commas between them. Default: 0.", commas=True
    )
    seeds: tuple[str, ...] | None = option(
        None,
        "In place of --seed: seeds that train side by side. JAX only.",
        commas=True,
    )
    seeds_mode: str | None = option(
        None,
        "How --seeds take their steps: vectorised, as one program; or in_turn, "
        "each by the same one. Default: vectorised on an accelerator.",
        domain=Domain(known=("vectorised", "in_turn")),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conditions:
    """What else decides the results: start, augmentation, arithmetic."""

    init_from: str | None = option(
        None,
        "Folder of a finished run whose weights to start from, by name; or a "
        "file with an encoder: a PyTorch state dict in torchvision's layout "
        "(.npz, .safetensors, .pth, .pt), or a Keras model (.keras).",
    )
    from_stage: str | None = option(
        None,
        "Stage to start with, on the weights of --init_from. Default: what "
        "--then adds to the stages of a finished run; else the first.",
    )
    augment: tuple[str, ...] = option(
        ("published",),
        "none, published (crop and flip; some methods rotate), autoaugment, "
        "randaugment(NUMBER,MAGNITUDE), cutout(SIZE), mixup(ALPHA), "
        "cutmix(ALPHA), or a preprocessing layer of Keras or KerasCV: "
        "keras.RandomRotation(factor=0.05), keras_cv.RandAugment. Several: "
        "published+autoaugment+cutout, or repeat the flag.",
    )
    average: str | None = option(
        None,
        "Average of the weights of all steps, which every stage ends with: "
        "ema (exponential moving average) or swa (plain mean). Default: none, "
        "or the method's.",
        domain=Domain(known=("ema", "swa")),
    )
    average_momentum: float = option(
        0.999,
        "Of --average=ema; the first steps have a smaller one.",
        domain=Domain(0, 1, below=True),
    )
    average_from: float | None = option(
        None,
        "Share of a stage after which --average begins. Default: ema 0, swa "
        "0.75.",
        domain=Domain(0, 1, below=True),
    )
    accumulate_steps: int = option(
        1,
        "Parts of a batch that are computed one after the other, where a "
        "device has no room for all of it.",
        domain=COUNT,
    )
    sync_batch_norm: bool = option(
        False,
        "Batch normalisation by all devices' images. Default: by each "
        "device's own, as in released code.",
    )
    precision: str = option(
        "float32",
        "float32, mixed_bfloat16 or mixed_float16.",
        domain=Domain(known=PRECISIONS),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Which images."""

    dataset: str = option(
        "digits_lt",
        "digits_lt, cifar10_lt, cifar100_lt; imagenet_lt, places_lt, "
        "inaturalist2018; or your own images: folder (one folder a class) or "
        "csv (columns path, label and maybe split).",
    )
    imbalance_ratio: float | None = option(
        None,
        "Largest over smallest class count, of digits and CIFAR. Default: "
        "digits 50, CIFAR 100.",
        domain=Domain(1),
    )
    profile: str = option(
        "exponential",
        "exponential or step.",
        domain=Domain(known=("exponential", "step")),
    )
    subset: str = option(
        "ldam",
        "Images kept of a class: ldam (the LDAM release's shuffle), first "
        "(in file order, as in WB's release) or precut (the first of training "
        "files that hold only a part).",
        domain=Domain(known=("ldam", "first", "precut")),
    )
    data_dir: str | None = option(
        None,
        "Folder with CIFAR's official binary archive, or with its files "
        "(default: TensorFlow Datasets); with images and their published "
        "lists; with one folder a class; or the csv file.",
    )
    image_size: int | None = option(
        None,
        "Pixels of a side of images that stay on disk. Default: by --budget, "
        "or 224.",
        domain=Domain(0, 2**14, above=True),
    )
    test_per_class: int | None = option(
        None,
        "Images of each class to test on, of your own images without a test "
        "split (default: --test_share), or of the digits (default: 70).",
        domain=COUNT,
    )
    test_share: float | None = option(
        None,
        "Share of each class to test on, of your own images without a test "
        "split; of four images or more at least two. 0: as many of every class "
        "as a third of the smallest. Default: 0.2.",
        domain=Domain(0, 1, below=True),
    )
    small_classes: str = option(
        "error",
        "Classes of your own images with too few to train, or to test: error; "
        "train_only, which tests on the others; drop, which leaves them out.",
        domain=Domain(known=("error", "train_only", "drop")),
    )
    unreadable: str = option(
        "error",
        "Images on disk that cannot be read: error, or skip, which lets "
        "another image of the class stand in and lists them.",
        domain=Domain(known=("error", "skip")),
    )
    max_pixels: int = option(
        MAX_PIXELS,
        "Pixels of an image on disk that is decoded; one with more cannot be "
        "read.",
        domain=COUNT,
    )
    allow_outside: bool = option(
        False,
        "Let csv files and published lists name images that are not below "
        "their folder.",
    )
    validation_per_class: int = option(
        0,
        "Training images of each class to hold out for tuning.",
        domain=NUMBER,
    )
    validation_share: float | None = option(
        None,
        "In place of it: share of each class, of your own images without a "
        "validation split; never trained on. Default: 0.2 of these.",
        domain=Domain(0, 1, below=True),
    )

    def load(self) -> Any:
        """Load the `data.ImageDataset`.

        Raises:
            DataError: if files are missing or damaged, or a class is too small.
            ValueError: if an option is out of range or unknown.
        """
        from keras_lt import data

        check_dataset(self.dataset, data.DATASETS)
        values = dataclasses.asdict(self)
        skip = values.pop("unreadable") == "skip"
        values["image_size"] = self.image_size or IMAGE_SIZE
        values["validation_share"] = self.validation_share or 0.0
        return data.load(values.pop("dataset"), **values, skip_unreadable=skip)
