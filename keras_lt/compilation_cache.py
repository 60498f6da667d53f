"""Where JAX keeps compiled programs from one process to the next."""

import contextlib
import hashlib
import os
import pathlib
import platform

SWITCH = "KERAS_LT_CACHE"
THEIRS = ("JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE")
SUFFIX = "-cache"  # of a program's file, as JAX names it
LIMIT = 2**30
CPU = ("vendor_id", "cpu family", "model", "flags")  # lines of /proc/cpuinfo
CPU += ("CPU implementer", "CPU architecture", "CPU part", "Features")  # ARM


def use_compilation_cache(limit: int = LIMIT) -> pathlib.Path | None:
    """Let JAX read programs from disk that an earlier process compiled.

    The step of a small network takes JAX seconds to compile, and a process
    for each run compiles it again. The folder is `keras_lt/jax` in the user's
    cache folder (`XDG_CACHE_HOME`, by default `~/.cache`). The variable
    `KERAS_LT_CACHE` names another one, or is `off`; JAX's own variables
    `JAX_COMPILATION_CACHE_DIR` and `JAX_ENABLE_COMPILATION_CACHE` win where
    they are set. The folder may be deleted at any time. Results do not depend
    on it.

    Call this before JAX is imported; it only sets JAX's variables, for this
    process and those that it starts.

    Args:
        limit: Bytes of programs that are kept; those that were not used for
            the longest time are deleted first.

    Returns:
        The folder, or None if there is none of ours.

    Example:
        >>> from keras_lt.compilation_cache import use_compilation_cache
        >>> folder = use_compilation_cache()
    """
    chosen = os.environ.get(SWITCH, "")
    if chosen == "off" or any(name in os.environ for name in THEIRS):
        return None
    root = pathlib.Path(chosen).expanduser() if chosen else _default()
    folder = root / _processor()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # no home, or none to write to
        return None
    with contextlib.suppress(OSError):  # another process deletes as well
        _prune(root, limit)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    # By default JAX keeps what took it a second. Starting to train a small
    # network is a hundred programs that take it less.
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    return folder


def _default() -> pathlib.Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    root = pathlib.Path(cache) if cache else pathlib.Path.home() / ".cache"
    return root / "keras_lt" / "jax"


def _processor() -> str:
    """Name of the kind of CPU: programs may not run on another one.

    JAX itself tells programs for other versions and options apart.
    """
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    first = text.split("\n\n")[0].splitlines()
    lines = [line for line in first if line.split("\t")[0].strip() in CPU]
    lines = lines or [platform.machine(), platform.processor()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _prune(root: pathlib.Path, limit: int) -> None:
    """Delete the programs that were used last the longest time ago."""
    files = []
    for path in root.glob(f"*/*{SUFFIX}"):
        status = path.stat()
        used = max(status.st_atime, status.st_mtime)
        files.append((used, status.st_size, path))
    size = sum(file[1] for file in files)
    for _, own, path in sorted(files):
        if size <= limit:
            return
        path.unlink(missing_ok=True)
        size -= own
