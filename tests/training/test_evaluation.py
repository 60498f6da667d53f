import keras
import numpy as np

from keras_lt.training import evaluate, predict_logits


def left_and_right():
    """Logits: mean of the left half, mean of the right half."""
    inputs = keras.Input((2, 4, 1))
    left = keras.ops.mean(inputs[:, :, :2], axis=(1, 2))
    right = keras.ops.mean(inputs[:, :, 2:], axis=(1, 2))
    return keras.Model(inputs, keras.ops.concatenate([left, right], -1))


IMAGES = np.zeros((3, 2, 4, 1), "uint8")
IMAGES[0, :, :2] = 200
IMAGES[1, :, 2:] = 100
IMAGES[2, :, 2:] = 50


def test_logits_of_all_images_in_any_batch_size():
    logits = predict_logits(left_and_right(), IMAGES, batch_size=2)
    np.testing.assert_array_equal(logits, [[200, 0], [0, 100], [0, 50]])


def test_flip_averages_over_the_mirror_image():
    logits = predict_logits(left_and_right(), IMAGES, flip=True)
    np.testing.assert_array_equal(logits, [[100, 100], [50, 50], [25, 25]])


def test_accuracy_overall_by_group_and_by_class():
    labels = np.array([0, 1, 0])
    found = evaluate(left_and_right(), IMAGES, labels, (200, 5))
    assert found["accuracy"] == {
        **{"overall": 2 / 3, "balanced": 0.75},
        **{"macro_f1": 2 / 3, "worst_class": 0.5},
        **{"many": 0.5, "few": 1.0},
    }
    assert found["class_accuracy"] == [0.5, 1.0]


def test_a_class_without_images_is_none_and_its_group_absent():
    found = evaluate(left_and_right(), IMAGES[:1], np.array([0]), (200, 5))
    assert found["class_accuracy"] == [1.0, None]
    names = ("overall", "balanced", "macro_f1", "worst_class", "many")
    assert found["accuracy"] == dict.fromkeys(names, 1.0)
