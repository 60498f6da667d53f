r"""Export the model of a finished run: keras-lt export WORKDIR.

Writes WORKDIR/export/saved_model (a folder), model.onnx, model.tflite or
model.keras. All take raw images, uint8 `(B, H, W, channels)`, and give
probabilities and logits; a SavedModel has further endpoints. A process without
Keras answers for the artefact; it appears only if the answers are those of the
run's model. No data are needed: the images to ask with are drawn, unless
--check=test asks for the run's test images.

Examples:
  A SavedModel with all endpoints:
    keras-lt export runs/digits_lt-50-wb-seed0

  ONNX, elsewhere:
    keras-lt export RUN --format=onnx --out=digits.onnx
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

from keras_lt.cli import arguments, usage
from keras_lt.cli.finished import open_run
from keras_lt.cli.options import RunAgain
from keras_lt.export.answer import check_ending
from keras_lt.runs.config import RunConfig
from keras_lt.runs.flags import option
from keras_lt.runs.folder import EXPORTS

IMAGES = 1000  # of the test images, to check with
KEPT = ("method", "dataset", "imbalance_ratio", "seed", "split_sha256")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Artefact:
    """What to write."""

    format: str = option("saved_model", "saved_model, onnx, litert or keras.")
    out: str | None = option(None, "Where to write. Default: WORKDIR/export/.")
    check: str = option(
        "drawn",
        "Images that run and artefact must agree on: drawn, which needs no "
        "data; or test, the run's test images.",
    )


GROUPS = (Artefact, RunAgain)
NAMES = ("WORKDIR",)


def prepare(argv: Sequence[str]) -> tuple[Any, ...]:
    """Check the flags and read the run."""
    given = arguments.parse(argv, GROUPS, NAMES)
    wanted = given[Artefact]
    if wanted.format not in EXPORTS:
        raise ValueError(
            f"--format must be one of {[*EXPORTS]}, got {wanted.format!r}"
        )
    if wanted.check not in ("drawn", "test"):
        raise ValueError(f"--check must be drawn or test, got {wanted.check!r}")
    if wanted.out:
        check_ending("--out", pathlib.Path(wanted.out), wanted.format)
    folder, config = open_run(given.rest[0], given[RunAgain].backend)
    path = pathlib.Path(wanted.out or folder.export(wanted.format))
    if path.exists():
        raise ValueError(f"--out: {path} exists already")
    images = None
    if wanted.check == "test" or given[RunAgain].data_dir:
        dataset = config.load_data(given[RunAgain].data_dir)
        images = dataset.test[0][:IMAGES]
    return path, wanted.format, config, folder.result(), folder.model(), images


def write(
    path: pathlib.Path,
    format: str,
    config: RunConfig,
    result: dict[str, Any],
    model: Any,
    images: Any,
) -> str:
    """Export, and return what was checked."""
    from keras_lt import models
    from keras_lt.export import draw_images, export

    kind = "test" if images is not None else "drawn"
    if images is None:
        images = draw_images(model.input_shape[1:])
    apart = export(
        model,
        path,
        format=format,
        class_counts=result["class_counts"],
        class_names=result["class_names"],
        views=models.single_views(model),
        images=images,
        metadata={name: result[name] for name in KEPT}
        | {"whole": config.whole(model.input_shape[1])},
    )
    return (
        f"{path}: on {len(images)} {kind} images no logit differs by more than "
        f"{apart:.2g} from the run's model"
    )


def main(argv: Sequence[str]) -> None:
    """Read, export, and say what was checked."""
    if usage.topic_of(argv) is not None:
        usage.print_flags(__doc__, GROUPS)
        return
    job = arguments.checked(prepare, argv)
    print(arguments.checked(write, *job))
