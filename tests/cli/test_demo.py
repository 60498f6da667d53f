"""The demo of a run and of an artefact, in a browser where there is one."""

import json
import shutil
import threading
import time

import browser
import numpy as np
import programs
import pytest
from PIL import Image

from keras_lt.cli import demo
from keras_lt.data import load
from keras_lt.reporting.demo import LARGEST

pytest.importorskip("jinja2")


@pytest.fixture
def run(tmp_path):
    """A finished run of version 0.1.0, on digits."""
    folder = programs.ROOT / "tests" / "runs" / "first_version" / "wb"
    shutil.copytree(folder, tmp_path / "wb")
    return tmp_path / "wb"


def digit(path, number=3):
    """Write a digit as a PNG."""
    image = load("digits_lt").test[0][number]
    Image.fromarray(image[..., 0]).save(path)
    return image


@programs.once("tensorflow")
def test_a_run_is_opened_with_its_images(run, tmp_path):
    server = demo.prepare(["demo", str(run), "--port=0"])
    image = digit(tmp_path / "digit.png")
    found = server.answer((tmp_path / "digit.png").read_bytes())
    golden = server.ask(image[None])[0]
    assert found["logits"] == pytest.approx(golden.tolist(), abs=1e-3)
    assert len(server.pictures(0)) == demo.EXAMPLES
    assert len(server.pictures(9)) == 2  # there are no more
    server.server_close()
    server = demo.prepare(["demo", str(run), "--port=0", "--nodata"])
    assert server.pictures(0) == []
    server.server_close()


@programs.once("tensorflow")
def test_what_cannot_be_opened(tmp_path):
    (tmp_path / "no.onnx").write_bytes(b"no")
    for arguments, message in (
        (("absent",), "absent is no SavedModel"),
        (("no.onnx", "--port=70000"), "--port must be <= 65,535, got 70000"),
        ((), "expected RUN|ARTEFACT"),
    ):
        _, err = programs.run("demo", *arguments, cwd=tmp_path, status=2)
        assert message in err and err.count("\n") == 1


def wait_for(page, code):
    """Wait until JavaScript says that something is there."""
    end = time.monotonic() + 60
    while not page.run(code):
        assert time.monotonic() < end, page.run("document.body.innerText")
        time.sleep(0.05)


@browser.needed
@pytest.mark.slow
@programs.once("tensorflow")
def test_uploads_in_a_browser(run, tmp_path):
    image = digit(tmp_path / "good.png")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "huge.jpg").write_bytes(b"\0" * (LARGEST + 1))
    (tmp_path / "text.txt").write_text("no image")
    server = demo.prepare(["demo", str(run), "--port=0"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    names = ("good.png", "broken.png", "huge.jpg", "text.txt")
    with browser.Browser() as page:
        page.open(server.address)
        page.choose("#files", *(tmp_path / name for name in names))
        wait_for(
            page,
            "document.querySelectorAll('.answer').length == 3 &&"
            "document.querySelectorAll('.failed').length == 3 &&"
            "document.querySelectorAll('.beside img').length >= 6",
        )
        said = page.run("document.getElementById('answers').innerText")
        assert "This is no image" in said and "too large: 20 MiB" in said
        logits = server.ask(image[None])[0]
        counts = np.array(programs.result(run)["class_counts"])
        for power in (1, 0, -1):
            shown = page.run(
                f"""(() => {{
                  const slider = document.getElementById("power");
                  slider.value = {power};
                  slider.dispatchEvent(new Event("input"));
                  return JSON.stringify([...document.querySelectorAll(
                    ".answer")].map((row) => row.dataset.share));
                }})()"""
            )
            scores = np.exp(logits + (power - 1) * np.log(counts))
            golden = np.sort(scores / scores.sum())[::-1][:3]
            found = [float(share) for share in json.loads(shown)]
            assert found == pytest.approx(golden.tolist(), abs=1e-3)
        refused = [e for e in page.errors if "415" not in e]
        assert refused == []  # the browser notes answers that are errors
        assert {r.split("/")[2] for r in page.requests} == {
            server.address.split("/")[2]
        }
        page.size(390)
        assert page.run("document.documentElement.scrollWidth") <= 390
    server.shutdown()
    server.server_close()
