"""keras-lt COMMAND ...: long-tailed image classifiers.

Commands:
  train      train, evaluate, and leave everything in a folder
  evaluate   evaluate the model of a finished run again
  export     write a model that serves without Keras
  predict    ask an exported model about images
  report     write a page about finished runs
  demo       show a model your photographs, on a page of this machine
  import     make a run of weights that released code trained
  inspect    look at a data set before training
  pack       pack the images that CIFAR's long tail keeps

`keras-lt COMMAND --help` shows the flags of each.
"""

import importlib
import sys
from collections.abc import Sequence

from keras_lt.cli import arguments
from keras_lt.hyperparameters import nearest

COMMANDS = {  # their modules
    "train": "train",
    "evaluate": "evaluate",
    "export": "export",
    "predict": "predict",
    "report": "report",
    "demo": "demo",
    "import": "importing",  # the word itself is Python's
    "inspect": "inspect",
    "pack": "pack",
}


def run(argv: Sequence[str]) -> None:
    """Run the command that a command line names."""
    if not argv[1:] or argv[1] in ("--help", "-h"):
        print(__doc__.strip())
        return
    name = arguments.checked(_known, argv[1])
    program = importlib.import_module(f"keras_lt.cli.{COMMANDS[name]}")
    program.main([f"keras-lt {name}", *argv[2:]])


def main() -> None:
    """The script `keras-lt`."""
    run(sys.argv)


def _known(name):
    if name not in COMMANDS:
        raise ValueError(f"no command {name!r}{nearest(name, COMMANDS)}")
    return name
