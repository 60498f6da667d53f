"""The page that answers photographs, and what it refuses."""

import base64
import http.client
import io
import json
import threading

import numpy as np
import programs
import pytest
from PIL import Image

from keras_lt.cli.asking import read_for
from keras_lt.reporting import demo

pytest.importorskip("jinja2")
pytestmark = programs.once("tensorflow")
CONTENT = {"image_shape": (4, 4, 3), "whole": 4}


def photo(color, kind="png"):
    file = io.BytesIO()
    Image.new("RGB", (30, 20), color).save(file, kind)
    return file.getvalue()


def reds(images):
    """Logits: the mean red, and 100."""
    red = images[..., 0].mean((1, 2))
    return np.stack([red, np.full_like(red, 100)], 1)


@pytest.fixture(scope="module")
def served():
    """A running demo."""
    server = demo.Demo(
        ask=reds,
        read=lambda name, file: read_for(CONTENT, name, file),
        class_names=("red", "<i>other</i>"),
        class_counts=(30, 3),
        examples=lambda c: np.full((2, 4, 4, 3), 50 * c, "uint8"),
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def ask(server, method, path, body=None, **headers):
    """Status, headers and content of an answer."""
    connection = http.client.HTTPConnection(
        demo.HOST, server.server_port, timeout=30
    )
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.headers["Content-Type"] == "application/json":
        content = json.loads(content)
    return answer.status, answer.headers, content


def test_only_this_machine_is_listened_to(served):
    assert served.server_address[0] == "127.0.0.1"
    assert served.address == f"http://127.0.0.1:{served.server_port}/"


def test_the_page(served):
    status, headers, content = ask(served, "GET", "/")
    page = content.decode()
    assert status == 200 and "<i>other</i>" not in page
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    for text in ("http:", "https:", "src="):
        assert text not in page


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp"])
def test_a_good_file(served, kind):
    status, _, found = ask(served, "POST", "/ask", photo((200, 0, 0), kind))
    assert status == 200
    assert found["logits"] == pytest.approx([200, 100], abs=2)
    kind, _, data = found["seen"].partition(",")
    seen = Image.open(io.BytesIO(base64.b64decode(data)))
    assert kind == "data:image/png;base64" and seen.size == (4, 4)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no image at all",
        photo((9, 9, 9))[:40],
        photo((9, 9, 9), "jpeg")[:200],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\0" * 100_000,
    ],
)
def test_what_is_no_image(served, content):
    status, _, found = ask(served, "POST", "/ask", content)
    assert status == 415
    assert found["error"].startswith("This is no image: the file cannot be")
    assert "object at" not in found["error"]
    assert ask(served, "POST", "/ask", photo((1, 2, 3)))[0] == 200


def test_a_huge_file(served, monkeypatch):
    monkeypatch.setattr(demo, "LARGEST", 2**20)
    status, _, found = ask(served, "POST", "/ask", b"\0" * (3 * 2**20))
    assert status == 413
    text = "The file is too large: 3 MiB, and 1 MiB are allowed."
    assert found == {"error": text}


def test_a_file_of_unknown_size(served):
    headers = {"Content-Length": "unknown"}
    status, _, found = ask(served, "POST", "/ask", **headers)
    assert status == 411 and "not known" in found["error"]


def test_a_model_that_fails(served, monkeypatch):
    def fail(images):
        raise RuntimeError("no memory")

    monkeypatch.setattr(served, "ask", fail)
    status, _, found = ask(served, "POST", "/ask", photo((0, 0, 0)))
    assert status == 500
    assert found == {"error": "The model failed: no memory"}


def test_training_images(served):
    status, _, found = ask(served, "GET", "/examples/1")
    assert status == 200 and len(found["pictures"]) == 2
    for path in ("/examples/2", "/examples/-1", "/examples/x", "/etc/passwd"):
        assert ask(served, "GET", path)[0] == 404, path
    assert ask(served, "POST", "/")[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "example.com"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://example.com"},
        {"Origin": "null"},
    ],
)
def test_pages_of_others_are_refused(served, headers):
    for method, path in (("GET", "/"), ("POST", "/ask")):
        status, _, found = ask(served, method, path, **headers)
        assert status == 403 and "this machine alone" in found["error"]


def test_our_own_page_is_not_refused(served):
    port = served.server_port
    for name in ("127.0.0.1", "localhost"):
        headers = {"Host": f"{name}:{port}", "Origin": f"http://{name}:{port}"}
        assert ask(served, "GET", "/", **headers)[0] == 200
