"""What people choose for a run, as types; the command line is made of them.

Importing this brings neither Keras nor a backend.
"""

import dataclasses
from typing import Any


def option(default: Any, help: str, *, commas: bool = False) -> Any:
    """Make a field that is a flag.

    Args:
        default: Value of a flag that is not given.
        help: For people; it names the default where that is None.
        commas: Whether a tuple is typed with commas; else its flag repeats.
    """
    metadata = {"help": help, "commas": commas}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """Which runs: methods, hyperparameters, seeds."""

    method: tuple[str, ...] = option(
        ("wb",), "Method; several with commas between them.", commas=True
    )
    set: tuple[str, ...] = option(
        (), "A hyperparameter, NAME=VALUE. Repeat for more."
    )
    sweep: tuple[str, ...] = option(
        (),
        "Several values of a hyperparameter, NAME=VALUE,VALUE,...: a run for "
        "each, and a table. Repeat for more runs with another one.",
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
    )
    epochs_scale: float = option(1.0, "Factor on the epochs of every stage.")
    batch_size: int | None = option(
        None, "Images of an update, over all devices. Default: the method's."
    )
    lr_scaling: str = option(
        "none",
        "Learning rates of another than the method's batch size: none keeps "
        "them, linear makes them proportional to it (but not those of --set).",
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
    )
    average_momentum: float = option(
        0.999, "Of --average=ema; the first steps have a smaller one."
    )
    average_from: float | None = option(
        None,
        "Share of a stage after which --average begins. Default: ema 0, swa "
        "0.75.",
    )
    accumulate_steps: int = option(
        1,
        "Parts of a batch that are computed one after the other, where a "
        "device has no room for all of it.",
    )
    sync_batch_norm: bool = option(
        False,
        "Batch normalisation by all devices' images. Default: by each "
        "device's own, as in released code.",
    )
    precision: str = option(
        "float32", "float32, mixed_bfloat16 or mixed_float16."
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
    )
    profile: str = option("exponential", "exponential or step.")
    subset: str = option(
        "ldam",
        "Images kept of a class: ldam (the LDAM release's shuffle), first "
        "(in file order, as in WB's release) or precut (the first of training "
        "files that hold only a part).",
    )
    data_dir: str | None = option(
        None,
        "Folder with CIFAR's official binary archive, or with its files "
        "(default: TensorFlow Datasets); with images and their published "
        "lists; with one folder a class; or the csv file.",
    )
    image_size: int = option(
        224, "Pixels of a side of images that stay on disk."
    )
    test_per_class: int | None = option(
        None,
        "Images of each class to test on, of your own images without a test "
        "split (default: a third of the smallest class, at most 50), or of "
        "the digits (default: 70).",
    )
    unreadable: str = option(
        "error",
        "Images on disk that cannot be read: error, or skip, which lets "
        "another image of the class stand in and lists them.",
    )
    validation_per_class: int = option(
        0, "Training images of each class to hold out for tuning."
    )

    def load(self) -> Any:
        """Load the `data.ImageDataset`.

        Raises:
            DataError: if files are missing or damaged, or a class is too small.
            ValueError: if an option is out of range or unknown.
        """
        from keras_lt import data

        values = dataclasses.asdict(self)
        skip = values.pop("unreadable") == "skip"
        name = values.pop("dataset")
        return data.load(name, **values, skip_unreadable=skip)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manner:
    """How a run is carried out and kept: none of it changes a result."""

    input: str | None = option(
        None,
        "Where batches are made, of the same images: by tf.data; by numpy or "
        "grain (without TensorFlow); or on the device, which then holds all "
        "images. "
        "Default: by backend, device and size.",
    )
    validation_freq: int = option(1, "Epochs between two validations.")
    test_freq: int = option(
        0,
        "Epochs between two looks at the accuracy on the test images, beside "
        "papers that report their best test epoch. Nothing is chosen by it. "
        "0: at the end of a stage only.",
    )
    flip_tta: bool = option(
        False, "Evaluate on the mean of image and mirror image."
    )
    workdir: str | None = option(
        None,
        "Folder of the run, or of the runs' folders if there are several. "
        "Default: below runs/.",
    )
    resume: bool = option(
        True, "Go on with a run that the folder already holds."
    )
    checkpoint_seconds: float = option(
        30.0, "Least time between two checkpoints."
    )
    steps_per_execution: int | None = option(
        None, "Steps that run as one program. Default: by device."
    )
    plots: bool = option(True, "Draw plots, if matplotlib is installed.")
    tensorboard: bool = option(False, "Write TensorBoard events.")
    mlflow: bool = option(False, "Tell MLflow the metrics of every epoch.")
    wandb: bool = option(False, "Tell Weights & Biases the same.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Devices:
    """Where it runs."""

    backend: str | None = option(
        None, "tensorflow or jax. Default: what is installed."
    )
    strategy: str = option(
        "none",
        "How batches are split over devices: none; mirrored, over those of "
        "this machine (TensorFlow); multi_worker, over the processes of the "
        "variable TF_CONFIG (TensorFlow); data_parallel, over those of this "
        "machine or of several processes (JAX).",
    )
    coordinator: str | None = option(
        None,
        "Where data_parallel runs in several processes: HOST:PORT of the "
        "first, the same for all; or auto, to ask SLURM or the TPU.",
    )
    num_processes: int | None = option(None, "Processes of the job.")
    process_id: int | None = option(None, "Number of this process, from 0.")
