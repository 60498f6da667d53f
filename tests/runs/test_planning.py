"""From a request to a plan, with a device whose speed is known."""

import dataclasses
import json

import programs
import pytest

from keras_lt.models import foreign
from keras_lt.models.foreign import opening
from keras_lt.models.foreign.efficientnet_lite import efficientnet_lite0
from keras_lt.runs import speed
from keras_lt.runs.budget import Size, Speed
from keras_lt.runs.defaults import settled
from keras_lt.runs.manner import Manner
from keras_lt.runs.options import Choice, Conditions, DataOptions
from keras_lt.runs.plan import make_runs
from keras_lt.runs.request import Request
from keras_lt.runs.tuning.planned import with_plan

NET = ("width=4",)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Photographs; measuring is counted, and says what it is told."""
    programs.write_photos(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    calls = []

    def measure(dataset, size, batch_size):
        calls.append((size.backbone, size.pixels, batch_size))
        return Speed(0.001 * size.macs, 0.0, 1.0)

    monkeypatch.setattr(speed, "_measure", measure)
    return calls


@pytest.fixture
def no_package(monkeypatch):
    """The pretrained network without the package that has its weights."""
    monkeypatch.setattr(foreign, "is_installed", lambda: True)
    monkeypatch.setattr(
        opening, "efficientnet_lite0", lambda: efficientnet_lite0(False)
    )


def request(*, images=None, **choice):
    own = {"dataset": "folder", "data_dir": "photos"} | (images or {})
    return Request(
        choice=Choice(**{"method": ("ce",), "set": NET} | choice),
        conditions=Conditions(),
        images=DataOptions(**own),
        manner=Manner(workdir="run", plots=False),
        command="",
    )


@programs.once("jax")
def test_a_run_on_own_images_is_planned_once(photos, capsys):
    # (30 + 8 / 3) images x 12.4 ms an epoch; 60 s x 0.75 - 2 s are there.
    (run,) = make_runs(request(budget="1"))
    values = run.config.hyperparameters
    assert values["backbone"] == "resnet8" and values["batch_size"] == 16
    assert values["epochs"] == (100,) and values["lr"] == 0.1 * 16 / 64
    assert run.config.data.image_size == 32
    assert (
        "plan: resnet8 on 32x32 pixels, 100 epochs" in capsys.readouterr().out
    )
    assert photos == [("resnet8", 32, 16)]
    (again,) = make_runs(request(budget="1"))
    assert again.config == run.config and len(photos) == 1
    (short,) = make_runs(request(budget="0.2"))
    assert short.config.hyperparameters["epochs"] == (17,)
    assert short.config.hyperparameters["warmup_epochs"] == 1


@programs.once("jax")
def test_what_is_given_is_kept(photos):
    given = ("backbone=resnet8", "epochs=(3,)", "lr=0.5", *NET)
    (run,) = make_runs(request(set=given, images={"image_size": 16}))
    assert not photos  # time decides nothing
    assert run.config.hyperparameters["batch_size"] == 16
    assert run.config.hyperparameters["lr"] == 0.5
    (run,) = make_runs(request(set=given))
    values = run.config.hyperparameters
    assert values["epochs"] == (3,) and values["lr"] == 0.5
    assert run.config.data.image_size == 64  # 20 minutes are many
    given = ("backbone=resnet8", *NET)
    published = request(
        set=given, budget="published", images={"image_size": 16}
    )
    (run,) = make_runs(published)
    assert run.config.hyperparameters["epochs"] == (100,)


@programs.once("jax")
def test_published_data_keep_their_recipes(photos, capsys):
    digits = {"images": {"dataset": "digits_lt", "data_dir": None}}
    (run,) = make_runs(request(**digits))
    assert run.config.hyperparameters["epochs"] == (100,) and not photos
    (run,) = make_runs(request(**digits, budget="0.5"))
    assert run.config.hyperparameters["batch_size"] == 64
    assert run.config.hyperparameters["epochs"] == (92,)  # of 287 images
    (run,) = make_runs(request(method=("adapt",), **digits, budget="0.1"))
    head, light = run.config.hyperparameters["epochs"]
    assert head == 30 and 1 <= light < 30


@programs.once("jax")
def test_a_pretrained_encoder_stays_and_its_features_cost_nothing(
    photos, no_package
):
    own = {"method": ("adapt",), "set": ()}
    (run,) = make_runs(request(**own, budget="1"))
    values = run.config.hyperparameters
    assert values["backbone"] == "efficientnet_lite0"
    assert values["epochs"][0] == 30 and 1 <= values["epochs"][1] < 10
    assert run.config.data.image_size == 224 and len(photos) == 1
    (run,) = make_runs(request(method=("adapt",), set=("steps=1",)))
    assert len(photos) == 1  # time decides nothing


@programs.once("jax")
def test_a_search_is_planned_once_and_says_how_long(photos, capsys):
    options = {"method": ("wb",), "budget": "1"}
    (golden,) = make_runs(request(**options))
    asked = settled(request(**options))
    asked, images = with_plan(asked, asked.images.load())
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("20 trials and one run, of about 0.")
    assert "minutes at most" in said and len(photos) == 1
    (run,) = make_runs(asked, images)
    ours, theirs = (each.config.to_json() for each in (run, golden))
    assert ours == theirs
    assert run.dataset.input_shape == golden.dataset.input_shape


@programs.once("jax")
def test_pretrained_features_take_part_where_they_are(
    photos, no_package, monkeypatch
):
    given = {"method": ("auto",), "images": {"image_size": 16}}
    given["set"] = ("backbone=micro", "epochs=(1,1)")
    for there, wanted in ((True, "efficientnet_lite0@size=128"), (False, None)):
        monkeypatch.setattr(foreign, "is_installed", lambda there=there: there)
        (run,) = make_runs(request(**given))
        assert run.config.hyperparameters["pretrained"] == wanted
    monkeypatch.setattr(foreign, "is_installed", lambda: True)
    for own in ("pretrained=None", "candidates=la"):
        (run,) = make_runs(request(**given | {"set": (*given["set"], own)}))
        assert run.config.hyperparameters["pretrained"] is None


@programs.once("jax")
@pytest.mark.parametrize("budget", ["0", "-1", "soon", "nan", "inf"])
def test_bad_budgets(budget, photos):
    with pytest.raises(ValueError, match="--budget must be minutes > 0, or"):
        make_runs(request(budget=budget))


@programs.once("jax")
def test_short_runs_of_long_methods_are_told(photos, capsys):
    for method in ("wb", "ldam", "ride", "reslt", "ssd"):
        make_runs(request(method=(method,), budget="0.2"))
        (line,) = [
            line
            for line in capsys.readouterr().out.splitlines()
            if line.startswith(f"--method={method} may not help here, as it")
        ]
        assert "published for about 200 epochs and a ratio of 100" in line


@programs.once("jax")
def test_the_speed_of_this_device(tmp_path):
    programs.write_photos(tmp_path / "photos")
    options = DataOptions(
        dataset="folder", data_dir=str(tmp_path / "photos"), image_size=8
    )
    speeds = speed.Speeds(tmp_path / "runs", options.load(), 4)

    found = speeds.of(Size(1.0, "micro", 16))
    assert min(dataclasses.astuple(found)) > 0
    (kept,) = json.loads(
        (tmp_path / "runs" / "speed.json").read_text()
    ).values()
    assert Speed(**kept) == found == speeds.of(Size(1.0, "micro", 16))
