"""Experts and routers from the command line."""

import numpy as np
import programs
import pytest
import toy

from keras_lt import models
from keras_lt.runs import reports, routing_cost

pytestmark = programs.once("jax")
TINY = (
    *("--method=ride", "--set=num_experts=2", "--set=epochs=(2,2,2)"),
    *programs.MICRO,
)


@pytest.mark.slow
def test_a_run_reports_experts_and_routing(finished):
    folder, out = finished("ride")
    found = programs.result(folder)
    assert list(found["stages"]) == ["experts", "reweighted", "router"]
    views = found["stages"]["router"]["views"]
    assert list(views) == ["expert1", "expert2", "ensemble"]
    report = found["routing"]
    assert sum(report["experts_used"]) == 700
    assert found["stages"]["router"]["experts_used"] == report["experts_used"]
    assert report["macs_one_expert"] <= report["macs"]
    assert report["macs"] <= report["macs_all_experts"]
    assert report["largest_difference"] < 1e-4
    for words in ("router, alone", "% use 2", "of one plain network"):
        assert words in out


@pytest.mark.slow
def test_evaluate_measures_the_routing(finished):
    folder, _ = finished("ride")
    out, _ = programs.run("evaluate.py", folder, cwd=folder.parent)
    assert "equal" in out and "NOT" not in out
    assert "s routed" in out


@pytest.mark.slow
def test_distils_from_a_folder(finished, tmp_path):
    teacher, _ = finished("ride")
    programs.run(
        "train.py",
        *TINY,
        "--set=router=False",
        f"--set=distill_from={teacher}",
        "--workdir=student",
        cwd=tmp_path,
    )
    found = programs.result(tmp_path / "student")
    assert list(found["stages"]) == ["experts", "reweighted"]
    # Neither the teacher nor a router is in the student.
    assert found["parameters"] < programs.result(teacher)["parameters"]


@pytest.mark.slow
def test_sweeps_the_routers_of_a_run(finished, tmp_path):
    teacher, _ = finished("ride")
    out, _ = programs.run(
        "train.py",
        *TINY,
        f"--init_from={teacher}",
        "--from_stage=router",
        "--sweep=pos_weight=0.001,1e6",
        "--set=router_lr=1.0",
        "--workdir=sweep",
        cwd=tmp_path,
    )
    few, many = (
        programs.result(
            tmp_path / "sweep" / f"digits_lt-50-ride-pos_weight={p}-seed0"
        )
        for p in ("0.001", "1000000.0")
    )
    assert few["variant"] == {"pos_weight": 0.001}
    assert list(few["stages"]) == ["router"]
    mine, theirs = (r["stages"]["router"]["views"] for r in (few, many))
    assert mine == theirs  # the experts are those of the first run
    table = out.split("Mean accuracy")[1]
    assert "ride pos_weight=0.001" in table
    assert table.splitlines()[1].split()[-3:] == [
        "experts",
        "operations",
        "time",
    ]


@pytest.mark.slow
def test_operations_and_counts():
    model = models.multi_expert("micro", toy.problem(), num_experts=3, width=4)
    model = models.add_router(model, top_k=2)
    cost = routing_cost.macs(model)
    assert np.allclose(np.diff(cost, 2), 0)  # each expert costs the same
    trunk = models.count_macs(model.get_layer("trunk"))
    assert cost[0] - trunk == cost[1] - cost[0]
    pixels, _ = toy.test_images()
    for bias, used in ((-1e6, [60, 0, 0]), (1e6, [0, 0, 60])):
        model.get_layer("router").readout_bias.assign(bias)
        assert routing_cost.count_used(model, pixels).tolist() == used
        report = routing_cost.report(
            model, pixels, int(cost[0]), batch_size=30, repeats=1
        )
        experts = 1 if bias < 0 else 3
        assert report["mean_experts"] == experts
        assert report["macs"] == pytest.approx(cost[experts - 1] / cost[0])
        assert report["largest_difference"] < 1e-5
        assert report["time"] > 0


def test_table_of_variants(capsys):
    accuracy = {"overall": 0.5, "few": 0.25}
    routed = {"mean_experts": 1.5, "macs": 0.9, "time": 0.8}
    reports.print_means(
        [
            {"method": "ride", "variant": {"p": 1}, "accuracy": accuracy}
            | {"routing": routed},
            {"method": "ride", "variant": {"p": 2}, "accuracy": accuracy},
        ]
    )
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.split()[:2] == ["ride", "p=1"]
    assert first.split()[-3:] == ["1.50", "0.90", "0.80"]
    assert second.split()[-1] == "-"
