# Goldens: tests/cards/lift.md, section 2.
import pytest

from keras_lt.models.light_tuning import bottleneck


@pytest.mark.parametrize(
    ("classes", "blocks", "adaptformer", "lora"),
    [
        (10, 12, 1, 1),
        (100, 12, 4, 2),
        (100, 24, 2, 1),
        (365, 12, 8, 4),
        (365, 24, 4, 2),
        (1000, 12, 32, 16),
        (1000, 24, 16, 8),
        (8142, 12, 256, 128),
        (8142, 24, 128, 64),
    ],
)
def test_golden_ranks(classes, blocks, adaptformer, lora):
    assert bottleneck(classes, blocks) == adaptformer
    assert bottleneck(classes, blocks, per=4) == lora
