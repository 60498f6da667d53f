"""The report as text: its numbers, what it leaves out, what it escapes."""

import html.parser
import re

import answered
import keras
import numpy as np
import programs
import pytest

import keras_lt
from keras_lt import evaluation
from keras_lt.reporting import Subject
from keras_lt.reporting.page import report_page

pytestmark = programs.once("tensorflow")  # of numpy, but for one test
pytest.importorskip("jinja2")
pytest.importorskip("PIL")


class Reader(html.parser.HTMLParser):
    """Tags with their attributes, and what is not closed."""

    VOID = {"meta", "link", "img", "input", "br", "line", "rect"}
    VOID |= {"circle", "path", "polyline"}

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag, self.getpos()

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def numbers(page):
    """Values of the table of measures, by name."""
    found = re.findall(r'data-measure="(\w+)" data-exact="([^"]+)"', page)
    return {name: float(value) for name, value in found}


@pytest.fixture(scope="module")
def page():
    return report_page([answered.subject()], command="keras-lt report RUN")


def test_the_numbers_are_those_of_evaluation(page):
    subject = answered.subject()
    golden = evaluation.measures(
        subject.probabilities, subject.labels, answered.COUNTS
    )
    assert numbers(page) == pytest.approx(golden)
    assert f"{100 * golden['few']:.1f}\u00a0%" in page


def test_it_is_one_file_that_is_well_formed(page):
    found = Reader(page)
    assert found.open == []
    for tag, attributes in found.tags:
        for name in ("src", "href"):
            address = attributes.get(name) or "#"
            assert address.startswith(("data:", "#")), (tag, address)
    assert not re.search(r"https?://|@import|url\(", page)
    assert all(image.get("alt") for image in found.all("img"))
    ids = [each["id"] for _, each in found.tags if "id" in each]
    assert len(ids) == len(set(ids))
    links = [a["href"][1:] for a in found.all("a")]
    assert links and set(links) <= set(ids)
    labelled = {label["for"] for label in found.all("label")}
    for tag in ("input", "select"):
        assert all(field["id"] in labelled for field in found.all(tag))


def test_names_are_escaped(page):
    assert "<b>cat</b>" not in page
    assert "&lt;b&gt;cat&lt;/b&gt;" in page
    named = report_page([answered.subject(name="</script><script>alert(1)")])
    assert "<script>alert" not in named


def test_pictures_are_bounded(page):
    images = Reader(page).all("img")
    assert 0 < len(images) <= 7 * 6
    assert all(i["src"].startswith("data:image/png") for i in images)
    assert "<img" not in report_page([answered.subject(images=None)])


def test_a_page_of_many_classes_is_small():
    """As CIFAR-100-LT: 100 classes, 10,000 images."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(100), 100)
    logits = random.normal(size=(10000, 100)) + 2 * np.eye(100)[labels]
    subject = Subject(
        name="large",
        logits=logits,
        labels=labels,
        class_counts=[max(int(500 * 0.955**c), 5) for c in range(100)],
        class_names=[f"class {c}" for c in range(100)],
        # Noise, of which no format makes small files.
        images=random.integers(0, 256, (10000, 32, 32, 3), "uint8"),
    )
    assert len(report_page([subject])) < 3 * 2**20


def test_several_models_are_told_apart():
    better = answered.subject()
    worse = answered.subject(1, logits=np.roll(better.logits, 1, axis=0))
    page = report_page([better, worse])
    table = page[page.index('id="apart"') : page.index('id="all"')]
    assert 'class="worse"' in table and 'class="better"' not in table
    assert "&lt; 0.001" in table
    page = report_page([worse, better])
    table = page[page.index('id="apart"') : page.index('id="all"')]
    assert 'class="better"' in table and 'class="worse"' not in table
    same = report_page([better, answered.subject(name="model 2")])
    table = same[same.index('id="apart"') : same.index('id="all"')]
    assert "+0.0" in table and "1.000" in table
    assert 'class="better"' not in table


def test_a_temperature_needs_validation_images():
    assert "--validation_per_class" in report_page([answered.subject()])
    subject = answered.subject()
    page = report_page(
        [answered.subject(validation=(subject.logits * 3, subject.labels))]
    )
    assert "--validation_per_class" not in page
    assert "at temperature" in page


def test_little_is_enough():
    """Two classes, one image, nothing known of the training."""
    subject = Subject(
        name="tiny",
        logits=np.array([[1.0, 0.0]]),
        labels=np.array([0]),
        class_counts=(5, 5),
        class_names=("a", "b"),
    )
    page = report_page([subject])
    assert Reader(page).open == []
    assert "Nothing is known of it." in page
    assert numbers(page)["overall"] == 1


def test_what_cannot_be_shown():
    for values, message in (
        ({"logits": np.zeros((3, 6))}, "a row for each label"),
        ({"class_names": ("a",)}, "`class_names` must be 6, got 1"),
        ({"logits": np.full((120, 6), np.nan)}, "`logits` must be finite"),
        ({"images": np.zeros((1, 8, 8, 3))}, "`images` must be 120, got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            answered.subject(**values)
    other = answered.subject(1, labels=np.roll(answered.subject().labels, 1))
    with pytest.raises(ValueError, match="judged on different images"):
        report_page([answered.subject(), other])
    with pytest.raises(ValueError, match="one or more"):
        report_page([])


def test_a_missing_package_is_named(monkeypatch):
    real = keras_lt.reporting.page.importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: None if name == "jinja2" else real(name),
    )
    with pytest.raises(ImportError, match=r"Jinja2.*'keras_lt\[report\]'"):
        report_page([answered.subject()])


def test_any_model_from_python(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 1), "uint8")
    labels = np.arange(12) % 3
    pixels = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(pixels)
    model = keras.Model(pixels, keras.layers.Dense(3)(flat), name="mine")
    path = keras_lt.report(
        *(model, images, labels, (9, 6, 3)),
        path=tmp_path / "page.html",
        facts={"Origin": {"who": "me"}},
    )
    page = path.read_text()
    logits = model.predict(images, verbose=0)
    found = numbers(page)
    assert found["overall"] == np.mean(logits.argmax(1) == labels)
    for text in ("mine", "51", "me", "Norm of each class vector"):
        assert text in page
    path = keras_lt.report(
        *(lambda x: logits[: len(x)], images, labels, (9, 6, 3)),
        path=tmp_path / "other.html",
        name="function",
    )
    assert numbers(path.read_text()) == pytest.approx(found)


def test_an_artefact_from_python(tmp_path, monkeypatch):
    images = np.arange(12, dtype="uint8").reshape(6, 1, 2, 1)
    asked = []

    def load(path):
        asked.append(path)
        return lambda images: images[:, 0, :, 0].astype("float32")

    monkeypatch.setattr("keras_lt.export.answer.load", load)
    labels = np.array([1, 1, 1, 1, 0, 1])
    path = keras_lt.report(
        *("model.onnx", images, labels, (9, 6)), path=tmp_path / "page.html"
    )
    assert [each.name for each in asked] == ["model.onnx"]
    assert numbers(path.read_text())["overall"] == pytest.approx(5 / 6)


def test_bad_arguments_from_python(tmp_path):
    images, labels = np.zeros((4, 2, 2, 1), "uint8"), np.array([0, 1, 0, 1])

    def model(asked):
        return np.zeros((len(asked), 3))

    for arguments, message in (
        ((model, images[:3], labels, (2, 1)), "must be as many, got 3 and 4"),
        ((model, images, labels, (2, 1)), r"logits \(B, 2\), got \(4, 3\)"),
        ((model, images, labels + 9, (2, 1, 1)), r"must be in \[0, 3\)"),
        ((model, images, labels, (2, 0, 1)), "`class_counts`.*class 1"),
    ):
        with pytest.raises(ValueError, match=message):
            keras_lt.report(*arguments, path=tmp_path / "no.html")
    assert not (tmp_path / "no.html").exists()
