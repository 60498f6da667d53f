"""Packages that only some of the library needs."""

import importlib.util


def check_installed(what: str, package: str, extra: str) -> None:
    """Check that a package is there, before long work.

    Args:
        what: That needs it, as its user knows it.
        package: Its name.
        extra: Of `keras_lt`, which brings it.

    Raises:
        ValueError: saying what to install.
    """
    if not importlib.util.find_spec(package):
        raise ValueError(
            f"{what} needs {package}, which is not installed; pip install "
            f"'keras_lt[{extra}]' brings it"
        )
