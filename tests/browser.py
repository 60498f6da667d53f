"""A browser without a window, by the protocol that Chromium speaks on pipes.

Of the standard library alone: tests of pages skip where there is no Chromium.
"""

import base64
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
needed = pytest.mark.skipif(not PROGRAM, reason="needs Chromium")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
    *("--disable-dev-shm-usage", "--no-first-run", "--mute-audio"),
    *("--disable-background-networking", "--remote-debugging-pipe"),
)


class Browser:
    """One page of a browser.

    Attributes:
        errors: What the page wrote to its console as warning or error, and
            what it threw.
        requests: Addresses that it asked for, but those that are the data.
    """

    def __init__(self):
        self.errors, self.requests = [], []
        self._numbers = itertools.count(1)
        self._session, self._rest = None, b""
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs, self._out = os.pipe()
        self._in, theirs_too = os.pipe()
        # It reads from 3 and writes to 4.
        code = f'exec "$@" 3<&{theirs} 4>&{theirs_too}'
        profile = f"--user-data-dir={self._profile.name}"
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", code, "sh", PROGRAM, *FLAGS, profile],
            pass_fds=(theirs, theirs_too),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(theirs_too)
        target = self.call("Target.createTarget", url="about:blank")
        found = self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = found["sessionId"]
        for part in ("Page", "Runtime", "Network", "Log", "DOM"):
            self.call(f"{part}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        self._process.wait()
        self._profile.cleanup()

    def call(self, method, **parameters):
        """Call a method of the protocol, and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, url, width=1280, height=900):
        """Open a page, and wait until it is there."""
        self.errors.clear()
        self.requests.clear()
        self.size(width, height)
        self._loaded = False
        self.call("Page.navigate", url=str(url))
        while not self._loaded:
            self._read()

    def size(self, width, height=900):
        """Give the page a size in pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1},
            mobile=width < 600,
        )

    def run(self, code):
        """Run JavaScript, wait for it, and return its value."""
        found = self.call(
            "Runtime.evaluate",
            expression=code,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def choose(self, selector, *paths):
        """Choose files in an input."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)
        self.call(
            "DOM.setFileInputFiles",
            nodeId=node["nodeId"],
            files=[str(path) for path in paths],
        )

    def picture(self, path, *, whole=True):
        """Write a PNG of the page."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        pathlib.Path(path).write_bytes(base64.b64decode(found["data"]))

    def _read(self):
        """The next message; events are noted."""
        while b"\0" not in self._rest:
            part = os.read(self._in, 2**16)
            assert part, "the browser is gone"
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(line)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method, found):
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(found["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            if found["type"] in ("error", "warning", "assert"):
                self.errors.append(str(found["args"]))
        elif method == "Log.entryAdded":
            if found["entry"]["level"] in ("error", "warning"):
                self.errors.append(found["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            if not found["request"]["url"].startswith("data:"):
                self.requests.append(found["request"]["url"])
