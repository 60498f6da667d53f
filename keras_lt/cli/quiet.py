"""Starting TensorFlow without what it says of itself."""

import contextlib
import importlib.machinery
import os
import sys
import tempfile
from collections.abc import Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def quiet_tensorflow() -> None:
    """Have TensorFlow say nothing when it is imported, by whomever.

    It logs before it reads its log level. Who sets `TF_CPP_MIN_LOG_LEVEL` to
    0 or 1 sees all of it.
    """
    heard = os.environ.setdefault(LEVEL, "3") in ("0", "1")
    waits = any(isinstance(finder, _Quietly) for finder in sys.meta_path)
    if not heard and not waits and "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Quietly())


class _Quietly:
    """Waits for the import of TensorFlow."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_quietly(module):
                with quiet():
                    execute(module)

            spec.loader.exec_module = execute_quietly
        return spec


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep back what is written to standard error, by C++ too.

    It is shown if an error ends the block.
    """
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(shown, kept.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)
