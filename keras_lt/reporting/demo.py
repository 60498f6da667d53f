"""A page that answers photographs, for this machine alone.

The server is that of the standard library. It listens on the loopback
interface, answers only what is addressed to it by that name, and reads no
more of an upload than it allows.
"""

import functools
import http.server
import io
import json
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

from keras_lt.image_reader import DataError
from keras_lt.reporting.page import render
from keras_lt.reporting.thumbnails import picture

HOST = "127.0.0.1"
LARGEST = 20 * 2**20  # bytes of an upload
DRAINED = 2**30  # of a larger one that are read, so that it gets an answer
PIECE = 2**16
ONLY_OURS = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class Demo(http.server.ThreadingHTTPServer):
    """The server of one model; `serve_forever()` runs it.

    Args:
        ask: Function from uint8 `(B, H, W, channels)` to logits `(B, C)`.
        read: Function from a name and a file to uint8 `(H, W, channels)`; it
            raises `DataError` for what is no image.
        class_names: C names.
        class_counts: Training images per class, length C.
        examples: Function from a class id to training images of it, uint8
            `(E, H, W, channels)`; None if they are not at hand.
        title: Of the page.
        expects_tail: Whether the model answers for the training tail.
        port: To listen on; 0 for any that is free.
    """

    daemon_threads = True

    def __init__(
        self,
        *,
        ask: Callable[[np.ndarray], np.ndarray],
        read: Callable[[str, BinaryIO], np.ndarray],
        class_names: Sequence[str],
        class_counts: Sequence[int],
        examples: Callable[[int], np.ndarray] | None = None,
        title: str = "keras_lt",
        expects_tail: bool = True,
        port: int = 0,
    ):
        self.ask, self.read = ask, read
        self.classes = len(class_names)
        self.examples = examples
        self.lock = threading.Lock()  # models answer one after the other
        self.pictures = functools.lru_cache(1000)(self._pictures)
        super().__init__((HOST, port), _Handler)
        self.page = render(
            "demo.html",
            title=title,
            subtitle="Answers of the model; nothing leaves this machine",
            about={
                "names": [str(name) for name in class_names],
                "counts": [int(count) for count in class_counts],
                "expects": 1 if expects_tail else 0,
                "largest": LARGEST,
                "pictured": examples is not None,
            },
        ).encode()

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://{HOST}:{self.server_port}/"

    def answer(self, content: bytes) -> dict[str, Any]:
        """Logits of an image, and the image as the model sees it.

        Raises:
            DataError: if it is no image.
        """
        image = self.read("the file", io.BytesIO(content))
        with self.lock:
            (logits,) = self.ask(image[None])
        return {
            "logits": [round(float(z), 4) for z in logits],
            "seen": picture(image, side=160),
        }

    def _pictures(self, class_id: int) -> list[str]:
        """Training images of a class."""
        if self.examples is None:
            return []
        try:
            with self.lock:
                return [picture(image) for image in self.examples(class_id)]
        except DataError:
            return []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a page that was closed before its answer came."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    """One request; every one is answered."""

    server: Demo

    def do_GET(self) -> None:
        """The page, or pictures of a class."""
        if not self._is_for_us():
            return
        folder, _, number = self.path[1:].partition("/")
        if self.path == "/":
            self._send(200, self.server.page, "text/html; charset=utf-8")
        elif (
            folder == "examples"
            and number.isdecimal()
            and int(number) < self.server.classes
        ):
            self._json(200, {"pictures": self.server.pictures(int(number))})
        else:
            self._json(404, {"error": "There is no such page."})

    def do_POST(self) -> None:
        """Answer an image."""
        if not self._is_for_us():
            return
        if self.path != "/ask":
            self._json(404, {"error": "There is no such page."})
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._json(411, {"error": "The size of the file is not known."})
            return
        if int(length) > LARGEST:
            self._drain(int(length))
            size = f"{int(length) / 2**20:,.0f} MiB"
            most = f"{LARGEST // 2**20} MiB"
            text = f"The file is too large: {size}, and {most} are allowed."
            self._json(413, {"error": text})
            return
        try:
            found = self.server.answer(self.rfile.read(int(length)))
        except DataError as error:
            self._json(415, {"error": f"This is no image: {error}."})
        except Exception as error:  # of the model: the page shows it
            self._json(500, {"error": f"The model failed: {error}"})
        else:
            self._json(200, found)

    def _is_for_us(self) -> bool:
        """Refuse pages of others that send their visitors here."""
        ours = {f"{name}:{self.server.server_port}" for name in _NAMES}
        origin = self.headers.get("Origin")
        same = origin is None or origin.removeprefix("http://") in ours
        if self.headers.get("Host") in ours and same:
            return True
        self._json(403, {"error": "This server is for this machine alone."})
        return False

    def _drain(self, length: int) -> None:
        """Read what is not wanted: who is still sending hears no answer."""
        left = min(length, DRAINED)
        while left and (piece := self.rfile.read(min(left, PIECE))):
            left -= len(piece)

    def _json(self, status: int, content: Mapping[str, Any]) -> None:
        self._send(status, json.dumps(content).encode(), "application/json")

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.close_connection = True  # what was not read is not a request
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", ONLY_OURS)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *values: Any) -> None:
        """Say nothing: the page does."""


_NAMES = (HOST, "localhost")
