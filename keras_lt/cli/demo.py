r"""Show a model your photographs: keras-lt demo RUN|ARTEFACT.

Opens a page on this machine, which nobody else can reach: drop photographs on
it, see the answers beside training images of the same classes, and move the
shares of the classes. RUN is the folder of a finished run, ARTEFACT what export
wrote (but for model.keras).

Examples:
  A run, whose data set gives the training images:
    keras-lt demo runs/folder-24-wb-seed0

  An artefact, which needs neither:
    keras-lt demo model.onnx --port=8001
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_lt.cli import arguments, usage
from keras_lt.cli.asking import open_artefact, read_for
from keras_lt.cli.finished import open_run
from keras_lt.cli.options import RunAgain
from keras_lt.domains import Domain
from keras_lt.runs.flags import option

EXAMPLES = 4  # training images of a class


@dataclasses.dataclass(frozen=True, kw_only=True)
class Server:
    """Where the page is."""

    port: int = option(
        8000,
        "Port on 127.0.0.1; 0 for any that is free.",
        domain=Domain(0, 2**16 - 1),
    )
    data: bool = option(
        True, "Show training images of a run, if its data set is at hand."
    )


GROUPS = (Server, RunAgain)
NAMES = ("RUN|ARTEFACT",)


def main(argv: Sequence[str]) -> None:
    """Serve until it is stopped."""
    if usage.topic_of(argv) is not None:
        usage.print_flags(__doc__, GROUPS)
        return
    demo = arguments.checked(prepare, argv)
    print(f"{demo.address} (Ctrl+C ends it)", flush=True)
    try:
        demo.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        demo.server_close()


def prepare(argv: Sequence[str]) -> Any:
    """Check the flags, open the model, and return the server."""
    given = arguments.parse(argv, GROUPS, NAMES)
    server, again = given[Server], given[RunAgain]
    from keras_lt.reporting.page import check_installed

    check_installed()
    path = pathlib.Path(given.rest[0])
    if (path / "result.json").exists():
        known = _run(path, again, server.data)
    else:
        known = _artefact(path)
    from keras_lt.reporting.demo import Demo

    content = known.pop("content")
    return Demo(
        read=functools.partial(read_for, content),
        class_names=content["class_names"],
        class_counts=content["class_counts"],
        title=path.resolve().name,
        port=server.port,
        **known,
    )


def _artefact(path: pathlib.Path) -> dict[str, Any]:
    """What the page needs of an artefact."""
    ask, content = open_artefact(path)
    return {"ask": ask, "content": content}


def _run(path: pathlib.Path, again: RunAgain, data: bool) -> dict[str, Any]:
    """What the page needs of a run."""
    folder, config = open_run(str(path), again.backend)
    result, model = folder.result(), folder.model()
    from keras_lt.training import predict_logits

    shape = model.input_shape[1:]
    found: dict[str, Any] = {
        "ask": lambda images: predict_logits(model, images),
        "content": {
            "image_shape": shape,
            "whole": config.whole(shape[0]),
            "class_names": result["class_names"],
            "class_counts": result["class_counts"],
        },
    }
    if data:
        try:
            images, labels = config.load_data(again.data_dir).train
        except (ValueError, OSError, ImportError) as error:
            print(f"no training images: {error}")
        else:
            found["examples"] = _examples(images, labels)
    return found


def _examples(images: Any, labels: np.ndarray) -> Callable[[int], np.ndarray]:
    """Function from a class id to some of its images."""

    def examples(class_id):
        return images[np.flatnonzero(labels == class_id)[:EXAMPLES]]

    return examples
