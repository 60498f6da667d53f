import keras
import numpy as np
import pytest
import toy

from keras_lt.training.teaching import soft_labels


def teacher(seed=0):
    keras.utils.set_random_seed(seed)
    images = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(images)
    return keras.Model(images, keras.layers.Dense(3)(flat))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stages" / "soft_labels.npz"


def said(capsys):
    return capsys.readouterr().out


def test_logits_of_every_image():
    model = teacher()
    loader = toy.loader(validation=toy.test_images())
    train, validation = soft_labels(model, loader, verbose=False)
    for ours, pixels in (
        (train, loader.pixels),
        (validation, loader.validation[0]),
    ):
        expected = keras.ops.convert_to_numpy(model(pixels))
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-3)
        assert ours.dtype == "float32"
    assert soft_labels(model, toy.loader(), verbose=False)[1] is None
    assert soft_labels(None, loader) == (None, None)


def test_are_written_once(path, capsys):
    model, loader = teacher(), toy.loader()
    first, _ = soft_labels(model, loader, path)
    assert said(capsys) == "soft labels of 32 images\n"
    written = path.stat().st_mtime_ns
    again, _ = soft_labels(model, loader, path)
    assert said(capsys) == ""
    assert path.stat().st_mtime_ns == written
    np.testing.assert_array_equal(first, again)


def test_another_teacher_or_other_images_do_not_take_them(path, capsys):
    soft_labels(teacher(), toy.loader(), path)
    said(capsys)
    other, _ = soft_labels(teacher(1), toy.loader(), path)
    assert "is of another teacher or other images" in said(capsys)
    expected, _ = soft_labels(teacher(1), toy.loader(), verbose=False)
    np.testing.assert_array_equal(other, expected)
    loader = toy.loader()
    loader.pixels = loader.pixels[::-1]
    reversed_, _ = soft_labels(teacher(1), loader, path)
    assert "is of another teacher or other images" in said(capsys)
    np.testing.assert_allclose(reversed_[::-1], expected, rtol=1e-5, atol=1e-3)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-50])


def flip(path):
    """Change one number, as a bad disk would; the zip's sum is made to fit."""
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["arr_0"][3, 1] += 0.5
    np.savez(path, **arrays)


@pytest.mark.parametrize("damage", [truncate, flip, lambda p: p.write_text("")])
def test_damaged_files_are_written_again(path, capsys, damage):
    expected, _ = soft_labels(teacher(), toy.loader(), path)
    damage(path)
    said(capsys)
    ours, _ = soft_labels(teacher(), toy.loader(), path)
    assert "is damaged" in said(capsys)
    np.testing.assert_array_equal(ours, expected)
    soft_labels(teacher(), toy.loader(), path)
    assert said(capsys) == ""


def test_a_teacher_that_trains_with_its_student_is_asked_once(path, capsys):
    """On resuming it is no longer what it was when the file was written."""
    model, loader = teacher(), toy.loader()
    before, _ = soft_labels(model, loader, path)
    for variable in model.variables:
        variable.assign(variable + 1.0)
    again, _ = soft_labels(model, loader, path, student=model)
    np.testing.assert_array_equal(again, before)
    other, _ = soft_labels(teacher(1), loader, path, student=model, verbose=0)
    assert not np.array_equal(other, before)
    truncate(path)
    with pytest.raises(ValueError, match="soft_labels.npz is damaged"):
        soft_labels(model, loader, path, student=model)
