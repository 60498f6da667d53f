"""How and where runs are carried out, as types.

Importing this brings neither Keras nor a backend.
"""

import dataclasses

from keras_lt.domains import COUNT, NUMBER, Domain
from keras_lt.runs.flags import option


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
    validation_freq: int = option(
        1,
        "Epochs between two validations.",
        domain=COUNT,
    )
    test_freq: int = option(
        0,
        "Epochs between two looks at the accuracy on the test images, beside "
        "papers that report their best test epoch. Nothing is chosen by it. "
        "0: at the end of a stage only.",
        domain=NUMBER,
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
        30.0,
        "Least time between two checkpoints, also within an epoch; 0: after "
        "every epoch.",
        domain=Domain(0),
    )
    on_divergence: str = option(
        "stop",
        "What a loss or a weight that is no number leads to: stop, with "
        "status 3; or restart, up to three times, from the last checkpoint "
        "with half the learning rate.",
        domain=Domain(known=("stop", "restart")),
    )
    steps_per_execution: int | None = option(
        None,
        "Steps that run as one program. Default: by device.",
        domain=Domain(1, 2**16),
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
    num_processes: int | None = option(
        None, "Processes of the job.", domain=COUNT
    )
    process_id: int | None = option(
        None, "Number of this process, from 0.", domain=NUMBER
    )
