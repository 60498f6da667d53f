"""The study of own images: its data and its table."""

import programs
import pytest

from reproduction import natural_tails, own_images

pytestmark = programs.once("jax")


def test_a_tail_like_zipf():
    counts = natural_tails.zipf_counts(100)
    assert counts[0] == 500 and counts[-1] == 500 / natural_tails.RATIO
    assert (counts[:-1] >= counts[1:]).all() and 4000 < counts.sum() < 6000


def result(accuracies, **more):
    stage = {"class_accuracy": accuracies, "accuracy": {"macro_f1": 0.4}}
    stages = {"train": stage}
    return {
        "stages": stages,
        "class_counts": [6, 3, 3],
        "hyperparameters": {"epochs": [12]},
        "train_seconds": 10.0,
        **more,
    }


def test_the_table_compares_with_cross_entropy():
    jobs = own_images.own()[:2]
    plain, chosen = (job.name for job in jobs)
    assert plain == "own-elpv-12-ce" and chosen == "own-elpv-12-auto"
    two = result([1.0, 0.5, 0.0])
    best = result([0.9, 0.6, 0.3], choice={"chosen": "la"})
    best["stages"] = {"la": best["stages"]["train"], "tau": {}}
    found = {plain: [two, two], chosen: [best]}
    head, _, first, second = own_images.table(jobs, found).split("\n")[1:5]
    names = [cell.strip() for cell in head.split("|")]
    cells = [
        dict(zip(names, map(str.strip, line.split("|")), strict=True))
        for line in (first, second)
    ]
    assert cells[0]["balanced"] == "50.0 ± 0.0"
    assert cells[0]["overall"] == "62.5 ± 0.0"  # as in training
    assert cells[0]["tail"] == "0.0 ± 0.0"
    assert cells[0]["macro F1"] == "40.0 ± 0.0"
    assert cells[1]["over cross entropy"] == "+10.0"
    assert float(cells[1]["overall over it"]) == pytest.approx(5.0)
    assert cells[1]["chosen"] == "la" and cells[1]["seeds"] == "1"
