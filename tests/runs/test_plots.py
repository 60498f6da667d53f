"""Pictures of classes, few and many."""

import pytest

from keras_lt.groups import thirds

pytest.importorskip("matplotlib")


@pytest.fixture
def drawn(monkeypatch):
    """Axes of the pictures that are drawn, in place of files."""
    from keras_lt.runs import class_plots as plots

    found = []
    monkeypatch.setattr(
        plots, "save", lambda figure, path, dpi: found.append(figure.axes[0])
    )
    return plots, found


def texts(labels):
    return [label.get_text() for label in labels]


def test_classes_have_their_names_and_groups(drawn):
    plots, found = drawn
    counts = [9, 40, 3]
    data = {"class_counts": counts, "class_names": ["ant", "bee", "cat"]}
    for groups in ("shots", "thirds"):
        line = {"wb": [0.5, 1.0, None]}
        plots.by_rank(None, line, data | {"groups": groups}, "Accuracy")
    shots, thirds = found
    assert texts(shots.get_xticklabels()) == ["bee", "ant", "cat"]
    assert texts(shots.texts) == ["medium", "few"]
    assert texts(thirds.texts) == ["head", "body", "tail"]


def test_of_many_classes_some_have_their_names(drawn):
    plots, found = drawn
    counts = [*range(200, 0, -1)]
    names = [f"a long name that all begin with {c}" for c in range(200)]
    data = {"class_counts": counts, "class_names": names, "groups": "thirds"}
    plots.by_rank(None, {"wb": [0.5] * 200}, data, "Accuracy")
    plots.long_tail(None, data)
    for axes in found:
        shown = texts(axes.get_xticklabels())
        assert len(shown) == plots.NAMED
        assert shown[1].endswith("begin with 5")
    line = found[0].lines[1].get_ydata()  # of means; 0 is of dots
    assert [*line] == pytest.approx([0.5] * 200)
    assert sum(map(len, thirds(counts))) == 200


def test_a_run_without_epochs_has_curves_without_a_legend(tmp_path):
    from keras_lt.runs import plots

    plots.curves(tmp_path / "curves.png", [])
    assert (tmp_path / "curves.png").exists()
