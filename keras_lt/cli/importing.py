r"""Make a finished run of weights of released code: keras-lt import FILE.

Reads a PyTorch state dict (.pth, .pt, .tar, .paramOnly; .safetensors or .npz
without PyTorch) in the layout of a repository, without running code of the
file. The run evaluates, exports, teaches (--set=distill_from=RUN) and starts
others (--init_from=RUN), as one that was trained here.

Examples:
  RIDE's experts, evaluated on CIFAR-100-LT:
    keras-lt import model_best.pth --from=ride --data_dir=DIR --out=RUN
    keras-lt evaluate RUN

  Served without training data:
    keras-lt import ckpt.best.pth.tar --from=ldam --out=RUN
    keras-lt export RUN --format=onnx
"""

import dataclasses
import pathlib
from collections.abc import Sequence

from keras_lt.cli import arguments, usage
from keras_lt.cli.backends import set_backend
from keras_lt.domains import Domain
from keras_lt.runs.flags import option
from keras_lt.runs.options import DataOptions


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weights:
    """Which weights."""

    from_: str = option(
        "",
        "Whose layout: ride, reslt, wb, ssd or ldam.",
        domain=Domain(empty=True),
    )
    set: tuple[str, ...] = option(
        (),
        "A hyperparameter of the method, NAME=VALUE: tau=0.3 of what ResLT "
        "serves. Those of the network come from the file. Repeat for more.",
    )
    out: str | None = option(
        None, "Folder of the run. Default: below runs/, by the file's name."
    )
    backend: str | None = option(
        None, "tensorflow or jax. Default: what is installed."
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Images(DataOptions):
    """Which images they were trained on."""

    dataset: str = option(
        "auto",
        "As in keras-lt train, for statistics of pixels and names of classes; "
        "auto: the one with as many classes. It is read if --data_dir is "
        "given.",
    )
    class_counts: tuple[str, ...] | None = option(
        None,
        "Training images of each class, with commas between them. Default: as "
        "read, or published.",
        commas=True,
    )


GROUPS = (Weights, Images)
NAMES = ("FILE",)
FEW = ("from_", "set", "out", "backend", "dataset", "data_dir")


def main(argv: Sequence[str]) -> None:
    """Read, make the run, and say what was found."""
    if (topic := usage.topic_of(argv)) is not None:
        few = () if topic == usage.EVERYTHING else FEW
        usage.print_flags(__doc__, GROUPS, few)
        return
    for line in arguments.checked(convert, argv):
        print(line)


def convert(argv: Sequence[str]) -> list[str]:
    """Check the flags, make the run, and return lines about it."""
    given = arguments.parse(argv, GROUPS, NAMES)
    weights, images = given[Weights], given[Images]
    file = pathlib.Path(given.rest[0])
    out = pathlib.Path(weights.out or f"runs/{file.name.partition('.')[0]}")
    counts = images.class_counts
    if counts and not all(text.strip().isdecimal() for text in counts):
        raise ValueError(
            f"--class_counts must be whole numbers > 0, got {','.join(counts)}"
        )
    set_backend(weights.backend)
    from keras_lt.runs.importing import Import, import_run

    fields = [field.name for field in dataclasses.fields(DataOptions)]
    lines = import_run(
        Import(
            file=file,
            layout=weights.from_,
            images=DataOptions(**{n: getattr(images, n) for n in fields}),
            class_counts=tuple(map(int, counts)) if counts else None,
            set=weights.set,
            out=out,
            command=arguments.command(argv),
        )
    )
    return [*lines, f"{out} written"]
