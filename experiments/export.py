r"""Export the model of a finished run: python experiments/export.py WORKDIR.

Writes WORKDIR/export/saved_model (a folder), model.onnx, model.tflite or
model.keras. All take raw images, uint8 `(B, H, W, channels)`, and give
probabilities and logits; a SavedModel has further endpoints. A process without
Keras asks the artefact for test images; it appears only if the answers are
those of the run's model.

Examples:
  A SavedModel with all endpoints:
    python experiments/export.py runs/digits_lt-50-wb-seed0

  ONNX, elsewhere:
    python experiments/export.py RUN --format=onnx --out=digits.onnx
"""

import pathlib
import sys

import command_line
import finished
from absl import flags

FLAGS = flags.FLAGS
NAMES = {
    "saved_model": "saved_model",
    "onnx": "model.onnx",
    "litert": "model.tflite",
    "keras": "model.keras",
}
IMAGES = 1000  # of the test images, to check with
KEPT = ("method", "dataset", "imbalance_ratio", "seed", "split_sha256")


def define_flags() -> None:
    """Declare the flags, in the order in which `--help` shows them."""
    string = flags.DEFINE_string
    string("format", "saved_model", "saved_model, onnx, litert or keras.")
    string("out", None, "Where to write. Default: WORKDIR/export/.")
    string("data_dir", None, "Folder with the data. Default: the run's own.")
    string("backend", None, "tensorflow or jax. Default: the run's own.")


def prepare(argv: list[str]):
    """Check the flags and read the run."""
    folder = pathlib.Path(command_line.parse(argv, ["WORKDIR"])[0])
    if FLAGS.format not in NAMES:
        raise ValueError(
            f"--format must be one of {[*NAMES]}, got {FLAGS.format!r}"
        )
    path = pathlib.Path(FLAGS.out or folder / "export" / NAMES[FLAGS.format])
    if path.exists():
        raise ValueError(f"--out: {path} exists already")
    return path, *finished.read(folder, FLAGS.backend, FLAGS.data_dir)


def write(path, dataset, model, result) -> float:
    """Export, and return the largest difference."""
    from keras_lt import models
    from keras_lt.export import export
    from keras_lt.layers import ResidualFusion

    views = {}
    if models.expert_heads(model):
        views = models.expert_views(model)
    elif any(isinstance(layer, ResidualFusion) for layer in model.layers):
        views = models.branch_views(model)
    return export(
        model,
        path,
        format=FLAGS.format,
        class_counts=dataset.class_counts,
        class_names=dataset.class_names,
        views=views,
        images=dataset.test[0][:IMAGES],
        metadata={name: result[name] for name in KEPT},
    )


def main(argv: list[str]) -> None:
    """Read, export, and say what was checked."""
    define_flags()
    if command_line.wants_help(argv):
        command_line.print_help(__doc__, FLAGS)
        return
    path, dataset, model, result = command_line.checked(prepare, argv)
    apart = command_line.checked(write, path, dataset, model, result)
    images = min(IMAGES, len(dataset.test[1]))
    print(
        f"{path}: on {images} test images no logit differs by more than "
        f"{apart:.2g} from the run's model"
    )


if __name__ == "__main__":
    main(sys.argv)
