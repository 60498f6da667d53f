"""Views of models that were saved, and loaded by another process."""

import keras
import programs
import pytest
import toy

from keras_lt import models
from keras_lt.training import evaluate

PIXELS, LABELS = toy.test_images()


def routed():
    model = models.multi_expert("micro", toy.problem(), width=4)
    model = models.early_exit(models.add_router(model, top_k=3))
    return model, lambda m: [
        models.early_exit(m),
        models.gathered(m),
        models.experts_used(m),
    ]


def branched():
    model = models.branched_classifier("micro", toy.problem(), width=4)
    return model, lambda m: [models.fused(m, tau=1.0)]


@pytest.mark.slow
@programs.once("jax")
@pytest.mark.parametrize("earlier", [0, 3])
@pytest.mark.parametrize(
    ("make", "views"),
    [(routed, models.expert_views), (branched, models.branch_views)],
)
def test_names_do_not_clash(make, views, earlier, tmp_path):
    keras.utils.clear_session()  # counters of names start anew
    model, more = make()
    model.save(tmp_path / "model.keras")
    keras.utils.clear_session()
    for _ in range(earlier):
        keras.layers.Reshape((1, -1))
        keras.layers.Concatenate()
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert more(loaded)
    every = views(loaded)
    if earlier == 0:
        serve = loaded if make is routed else models.fused(loaded)
        found = evaluate(serve, PIXELS, LABELS, toy.COUNTS, views=every)
        assert found["views"].keys() == every.keys()
    outputs = [view.outputs[0] for view in (loaded, *every.values())]
    keras.Model(loaded.inputs[0], outputs)
