r"""Train long-tailed image classifiers.

Examples:
  Weight balancing beside cross entropy, on embedded data, three seeds:
    python experiments/train.py --method=ce,wb --seed=0,1,2

  The published run; the same command resumes it after a kill:
    python experiments/train.py --method=wb --dataset=cifar100_lt --data_dir=DIR

  Without the max-norm ball:
    python experiments/train.py --method=wb --set constraint=None

  An ablation in one table:
    python experiments/train.py --method=reslt --sweep branches=False \
      --sweep beta=0.0,0.5,0.9,0.99,1.0

  Three seeds side by side, where one small network leaves a GPU idle (JAX):
    python experiments/train.py --method=ce --backend=jax --seeds=0,1,2

  Routers of several budgets on the experts of a finished run:
    python experiments/train.py --method=ride --init_from=RUN \
      --from_stage=router --sweep pos_weight=1,10,100,1000
"""

import sys

import command_line
from absl import flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Declare the flags, in the order in which `--help` shows them."""
    string, integer = flags.DEFINE_string, flags.DEFINE_integer
    several, repeated = flags.DEFINE_list, flags.DEFINE_multi_string
    number, switch = flags.DEFINE_float, flags.DEFINE_bool

    several("method", "wb", "Method; several with commas between them.")
    repeated("set", [], "A hyperparameter, NAME=VALUE. Repeat for more.")
    repeated(
        "sweep",
        [],
        "Several values of a hyperparameter, NAME=VALUE,VALUE,...: a run for "
        "each, and a table. Repeat for more runs with another one.",
    )
    string(
        "init_from",
        None,
        "Folder of a finished run whose weights to start from, by name; or a "
        "file with an encoder: a PyTorch state dict in torchvision's layout "
        "(.npz, .safetensors, .pth, .pt), or a Keras model (.keras).",
    )
    string(
        "from_stage",
        None,
        "Stage to start with, on the weights of --init_from. Default: the "
        "first.",
    )
    number("epochs_scale", 1.0, "Factor on the epochs of every stage.")
    integer(
        "batch_size",
        None,
        "Images of an update, over all devices. Default: the method's.",
    )
    integer(
        "accumulate_steps",
        1,
        "Parts of a batch that are computed one after the other, where a "
        "device has no room for all of it.",
    )
    string(
        "lr_scaling",
        "none",
        "Learning rates of another than the method's batch size: none keeps "
        "them, linear makes them proportional to it (but not those of --set).",
    )
    several("seed", "0", "Seed; several with commas between them.")
    several(
        "seeds",
        None,
        "In place of --seed: seeds that train side by side. JAX only.",
    )
    string(
        "seeds_mode",
        None,
        "How --seeds take their steps: vectorised, as one program; or in_turn, "
        "each by the same one. Default: vectorised on an accelerator.",
    )

    string(
        "dataset",
        "digits_lt",
        "digits_lt, cifar10_lt, cifar100_lt; imagenet_lt, places_lt, "
        "inaturalist2018; or your own images: folder (one folder a class) or "
        "csv (columns path, label and maybe split).",
    )
    number(
        "imbalance_ratio",
        None,
        "Largest over smallest class count, of digits and CIFAR. Default: "
        "digits 50, CIFAR 100.",
    )
    string("profile", "exponential", "exponential or step.")
    string(
        "subset",
        "ldam",
        "Images kept of a class: ldam (the LDAM release's shuffle), first "
        "(in file order, as in WB's release) or precut (the first of training "
        "files that hold only a part).",
    )
    string(
        "data_dir",
        None,
        "Folder with CIFAR's official binary archive, or with its files "
        "(default: TensorFlow Datasets); with images and their published "
        "lists; with one folder a class; or the csv file.",
    )
    integer("image_size", 224, "Pixels of a side of images that stay on disk.")
    integer(
        "test_per_class",
        None,
        "Images of each class to test on, of your own images without a test "
        "split (default: a third of the smallest class, at most 50), or of "
        "the digits (default: 70).",
    )
    string(
        "unreadable",
        "error",
        "Images on disk that cannot be read: error, or skip, which lets "
        "another image of the class stand in and lists them.",
    )
    integer(
        "validation_per_class",
        0,
        "Training images of each class to hold out for tuning.",
    )
    integer("validation_freq", 1, "Epochs between two validations.")
    integer(
        "test_freq",
        0,
        "Epochs between two looks at the accuracy on the test images, beside "
        "papers that report their best test epoch. Nothing is chosen by it. "
        "0: at the end of a stage only.",
    )
    repeated(
        "augment",
        None,
        "none, published (crop and flip; some methods rotate), or a "
        "preprocessing layer of Keras or KerasCV: "
        "keras.RandomRotation(factor=0.05), keras_cv.RandAugment. "
        "Repeat for a sequence. Default: published.",
    )
    string(
        "input",
        None,
        "Where batches are made, of the same images: by tf.data; by numpy or "
        "grain (without TensorFlow); or on the device, which then holds all "
        "images. "
        "Default: by backend, device and size.",
    )
    switch("flip_tta", False, "Evaluate on the mean of image and mirror image.")

    string(
        "workdir",
        None,
        "Folder of the run, or of the runs' folders if there are several. "
        "Default: below runs/.",
    )
    switch("resume", True, "Go on with a run that the folder already holds.")
    number("checkpoint_seconds", 30.0, "Least time between two checkpoints.")
    string("backend", None, "tensorflow or jax. Default: what is installed.")
    integer(
        "steps_per_execution",
        None,
        "Steps that run as one program. Default: by device.",
    )
    string(
        "strategy",
        "none",
        "How batches are split over devices: none; mirrored, over those of "
        "this machine (TensorFlow); multi_worker, over the processes of the "
        "variable TF_CONFIG (TensorFlow); data_parallel, over those of this "
        "machine or of several processes (JAX).",
    )
    switch(
        "sync_batch_norm",
        False,
        "Batch normalisation by all devices' images. Default: by each "
        "device's own, as in released code.",
    )
    string(
        "coordinator",
        None,
        "Where data_parallel runs in several processes: HOST:PORT of the "
        "first, the same for all; or auto, to ask SLURM or the TPU.",
    )
    integer("num_processes", None, "Processes of the job.")
    integer("process_id", None, "Number of this process, from 0.")
    string("precision", "float32", "float32, mixed_bfloat16 or mixed_float16.")
    switch("plots", True, "Draw plots, if matplotlib is installed.")
    switch("tensorboard", False, "Write TensorBoard events.")


def prepare(argv: list[str]) -> list:
    """Parse and check everything that can be wrong."""
    command_line.parse(argv)
    # Digits have 8x8 pixels.
    small = FLAGS.dataset == "digits_lt"
    command_line.set_backend(FLAGS.backend, small_steps=small)
    import plan
    import strategy

    strategy.start(FLAGS)
    return plan.runs(FLAGS, command_line.command(argv))


def main(argv: list[str]) -> None:
    """Check, train, and print a table."""
    define_flags()
    if command_line.wants_help(argv):
        command_line.print_help(__doc__, FLAGS)
        command_line.print_methods()
        return
    runs = command_line.checked(prepare, argv)
    import reports
    import strategy
    from run import execute

    from keras_lt.data import DataError
    from keras_lt.devices import is_chief

    if is_chief() and "image_size" in runs[0].identity:  # images on disk
        reports.print_dataset(runs[0].dataset)
    with strategy.lost_processes():
        results = command_line.checked(execute, runs, errors=DataError)
    if len(results) > 1 and is_chief():
        reports.print_means(results)
        if FLAGS.plots:
            reports.draw_comparison(runs[0].folder.parent, results)


if __name__ == "__main__":
    main(sys.argv)
