"""A file system whose power may fail, and what it then still has."""

import contextlib
import os
import pathlib


class Journal:
    """What was written below a folder, and what of it is durable.

    Every call of `os.fsync`, `os.replace` and `os.unlink` is an event. What
    a file holds is durable once the file was synchronised; that a name stands
    for it, once its folder was.

    Args:
        root: The folder.
    """

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.safe = {}  # content by name, as a power cut would leave it
        self.synced = {}  # content by inode
        self.events = []  # kind, path, and what was safe before it

    @contextlib.contextmanager
    def recorded(self, monkeypatch):
        own = {name: getattr(os, name) for name in ("fsync", "replace")}

        def fsync(descriptor):
            own["fsync"](descriptor)
            path = pathlib.Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            if path.is_relative_to(self.root):
                self._note("sync", path)
                self._sync(path)

        def replace(source, target):
            self._note("replace", pathlib.Path(target))
            own["replace"](source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            patch.setattr(os, "replace", replace)
            yield self

    def _note(self, kind, path):
        self.events.append((kind, path, dict(self.safe)))

    def _sync(self, path):
        if path.is_file():
            self.synced[path.stat().st_ino] = path.read_bytes()
            return
        gone = [name for name in self.safe if name.parent == path]
        for name in gone:
            del self.safe[name]
        for name in path.iterdir():
            if name.is_file():
                content = self.synced.get(name.stat().st_ino, b"")
                self.safe[name] = content
