import functools

import programs
import pytest

EPOCHS = {
    "ce": "(2,)",
    "wb": "(2,2)",
    "ride": "(2,2,2)",
    "ssd": "(2,2,2,2)",
}
FEWER = {"ride": ("--set=num_experts=2",)}  # as many as routers need


def flags(method):
    """What the finished run of a method was trained with."""
    options = (f"--set=epochs={EPOCHS[method]}", *FEWER.get(method, ()))
    return (f"--method={method}", *options, *programs.MICRO)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Function from a method to a run's folder and output; leave them be."""

    @functools.cache
    def run(method):
        folder = tmp_path_factory.mktemp("finished")
        out, _ = programs.run(
            "train.py", *flags(method), f"--workdir={method}", cwd=folder
        )
        return folder / method, out

    return run
