import toy

from keras_lt.data import Mixup
from keras_lt.losses import LabelAwareSmoothing, SoftmaxCrossentropy
from keras_lt.methods import METHODS

MISLAS = METHODS["mislas"]


def test_mixes_first_and_smooths_then():
    first, second = MISLAS(toy.problem(), mislas_head=0.3).stages
    assert (first.name, second.name) == ("mixup", "mislas")
    assert isinstance(first.loss, SoftmaxCrossentropy)
    assert first.transforms == (Mixup(1.0, 3),)
    assert isinstance(second.loss, LabelAwareSmoothing)
    assert (second.loss.head, second.transforms) == (0.3, ())
    (first, _) = MISLAS(toy.problem(), mixup=0.0).stages
    assert not first.transforms


def test_rates_of_either_schedule():
    def rates(**options):
        stage, _ = MISLAS(toy.problem(), epochs=(10,), **options).stages
        config = stage.optimizer(1).get_config()["learning_rate"]["config"]
        return config["rates"]

    steps = rates(warmup_epochs=2)
    assert steps[0] == steps[1] / 2 == 0.05
    assert steps[7] > 9 * steps[8] > 80 * steps[9] > 0
    cosine = rates(schedule="cosine", warmup_epochs=0)
    assert cosine[0] == 0.1 and abs(cosine[5] - 0.05) < 1e-9


def test_other_stages_follow():
    names = [stage.name for stage in MISLAS.then(["la"])(toy.problem()).stages]
    assert names == ["mixup", "mislas", "la"]
