"""Features of a run's encoder, and the labels that they put in doubt."""

import sys
import types

import numpy as np
import programs
import pytest

from keras_lt import data
from keras_lt.methods import METHODS
from keras_lt.models import anatomy
from keras_lt.problem import Problem
from keras_lt.reporting.encoding import encoding
from keras_lt.reporting.inspection import inspect_images

RUNS = programs.ROOT / "tests" / "runs" / "first_version"
pytestmark = programs.once("tensorflow")


@pytest.mark.parametrize("method", ["ce", "ride"])
def test_features_are_what_the_heads_see(method):
    recipe = METHODS[method](
        Problem((8, 8, 1), (9, 5)),
        **{"backbone": "micro", "width": 4},
        **({"num_experts": 2} if method == "ride" else {}),
    )
    model = recipe.serve(recipe.build())
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), "uint8")
    index = np.array([3, 0])
    found = encoding(model, (8, 8, 1))(images, index)
    parts = anatomy.features(model, images[index].astype("float32"))
    golden = [np.asarray(part) for part in parts]
    golden = [x.mean((1, 2)) if x.ndim == 4 else x for x in golden]
    golden = np.concatenate(golden, -1)
    assert found.shape == golden.shape == (2, golden.shape[-1])
    np.testing.assert_allclose(found, golden, rtol=1e-4, atol=1e-5)


def test_labels_are_doubted_by_features(monkeypatch):
    """cleanlab's part is played, see the tests of findings."""
    asked = []

    def find_label_issues(ids, probabilities, **how):
        asked.append(probabilities.shape)
        return np.array([2])

    module = types.ModuleType("cleanlab.filter")
    module.find_label_issues = find_label_issues
    monkeypatch.setitem(sys.modules, "cleanlab", types.ModuleType("cleanlab"))
    monkeypatch.setitem(sys.modules, "cleanlab.filter", module)
    monkeypatch.setattr(
        "keras_lt.data.findings.labels.is_possible", lambda: True
    )
    seen = []

    def encode(images, index):
        seen.extend(index.tolist())
        return images[index].reshape(len(index), -1).astype(float)

    dataset = data.load("digits_lt", imbalance_ratio=10)
    found = inspect_images(dataset, lambda *_: None, encode)
    ((split, position, label),) = found.suspects
    assert (split, position) == ("train", 2)
    assert label == dataset.train[1][2]
    assert seen == list(range(len(dataset.train[1])))
    assert asked == [(len(seen), 10)]


def test_an_encoder_of_a_run(tmp_path):
    out, _ = programs.run(
        *("inspect_data.py", "--dataset=digits_lt", "--report", "--plot="),
        f"--encoder={RUNS / 'wb'}",
        cwd=tmp_path,
    )
    assert "data.html written" in out
    for arguments, message in (
        (("--report",), "takes images of shape (8, 8, 1), these have (16, "),
        ((), "--encoder needs --report"),
    ):
        make_photos(tmp_path)
        _, err = programs.run(
            *("inspect_data.py", "--data_dir=photos", "--image_size=16"),
            *(f"--encoder={RUNS / 'wb'}", *arguments),
            cwd=tmp_path,
            status=2,
        )
        assert message in err and err.count("\n") == 1


def make_photos(folder):
    from PIL import Image

    for name in ("ant", "bee"):
        (folder / "photos" / name).mkdir(parents=True, exist_ok=True)
        for i in range(4):
            image = Image.new("RGB", (20, 20), (9 * i, 0, 0))
            image.save(folder / "photos" / name / f"{i}.png")
