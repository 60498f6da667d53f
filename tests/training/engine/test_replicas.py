"""Two devices train, validate and predict as one does."""

import contextlib
import dataclasses

import keras
import numpy as np
import programs
import pytest
import toy
from PIL import Image

from keras_lt import callbacks, layers
from keras_lt.constraints import ClassMaxNorm
from keras_lt.data import Augment, ImageFiles, Loader
from keras_lt.layers import BatchNormalization
from keras_lt.losses import LDAMLoss, ResLTLoss
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.optimizers import SGD
from keras_lt.training import (
    Recipe,
    freeze,
    fuse_steps,
    predict,
    run,
    synchronize_batch_norm,
)

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
ONLY_TENSORFLOW = programs.once("tensorflow")  # of tf.distribute
KIND = "tf.data" if ON_TENSORFLOW else "device"


def normalised_recipe(groups):
    """A network with batch normalisation, in four steps and a smaller one."""

    def build():
        images = keras.Input((8, 8, 1))
        x = keras.layers.Flatten()(images / 255)
        x = BatchNormalization(groups=groups)(keras.layers.Dense(8)(x))
        return keras.Model(images, keras.layers.Dense(3)(keras.ops.relu(x)))

    stage = dataclasses.replace(
        toy.dense_recipe().stages[0],
        epochs=4,
        optimizer=lambda steps: SGD(0.02, momentum=0.9),
    )
    return Recipe(build=build, stages=(stage,))


def train(recipe, data=None, **options):
    return run(
        recipe,
        toy.loader(**({"kind": KIND, "counts": toy.RAGGED} | (data or {}))),
        verbose=False,
        jit_compile=False if ON_TENSORFLOW else "auto",
        **options,
    ).model


def assert_close(ours, theirs):
    for mine, other in zip(
        ours.get_weights(), theirs.get_weights(), strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_two_replicas_are_one_with_two_groups():
    """So statistics of each replica change the result by that, no more."""
    alone = train(normalised_recipe(groups=2))
    with toy.two_devices():
        assert_close(train(normalised_recipe(groups=1)), alone)
    whole = train(normalised_recipe(groups=1))
    with pytest.raises(AssertionError):
        assert_close(whole, alone)


def test_synchronised_replicas_are_one():
    with toy.two_devices():
        spread = train(normalised_recipe(1), sync_batch_norm=True)
    assert_close(spread, train(normalised_recipe(1)))


def test_several_steps_at_a_time():
    with toy.two_devices():
        spread = train(normalised_recipe(1), steps_per_execution=5)
    assert_close(spread, train(normalised_recipe(2)))


def test_keras_layers_are_synchronised_too():
    norm = keras.layers.BatchNormalization()
    inner = keras.Sequential([keras.Input((2,)), norm, BatchNormalization()])
    model = keras.Sequential([keras.Input((2,)), inner])
    synchronize_batch_norm(model)
    assert norm.synchronized is ON_TENSORFLOW
    assert inner.layers[1].synchronize is True


class Remember(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.logs = {k: float(v) for k, v in logs.items() if "val_" in k}


@pytest.mark.slow
def test_validation_counts_every_image_once():
    found, images = [], 59 if ON_TENSORFLOW else 60
    validation = [part[:images] for part in toy.test_images()]
    recipe = dataclasses.replace(
        toy.dense_recipe(),
        metrics=lambda: shot_accuracy_metrics(toy.RAGGED),
    )

    def validated():
        seen, data = Remember(), {"validation": validation}
        train(recipe, data, callbacks=lambda stage: [seen])
        found.append(seen.logs)

    validated()
    with toy.two_devices():
        validated()
    assert "val_accuracy" in found[0]
    assert found[1] == pytest.approx(found[0], rel=1e-4)


@pytest.mark.slow
def test_images_on_disk(tmp_path):
    pixels, labels = toy.images((23, 8, 4), 0)
    names = [f"{i}.png" for i in range(len(labels))]
    for name, image in zip(names, np.repeat(pixels, 3, axis=-1), strict=True):
        Image.fromarray(image).save(tmp_path / name)
    images = ImageFiles(tmp_path, names, size=8, whole=8)

    def build():
        inputs = keras.Input((8, 8, 3))
        x = keras.layers.Flatten()(inputs / 255)
        return keras.Model(inputs, keras.layers.Dense(3)(x))

    (stage, *_) = toy.dense_recipe().stages  # 4 batches, the last one of 3
    recipe = Recipe(build=build, stages=(stage,))

    def train():
        loader = Loader(
            (images, labels),
            validation=(ImageFiles(tmp_path, names[:34], size=8), labels[:34]),
            augment=Augment(crop_scale=(0.5, 1.0), flip=True),
        )
        seen = Remember()
        model = run(
            recipe,
            loader,
            verbose=False,
            jit_compile=False if ON_TENSORFLOW else "auto",
            callbacks=lambda stage: [seen],
        ).model
        return model, seen.logs["val_loss"]

    alone, expected = train()
    with toy.two_devices():
        spread, found = train()
    assert_close(spread, alone)
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("images", [1, 2, 5])
def test_predict(images):
    pixels = toy.test_images()[0][:images]
    keras.utils.set_random_seed(0)
    expected = predict(normalised_recipe(1).build(), pixels, batch_size=4)
    assert expected.shape == (images, 3)
    with toy.two_devices():
        keras.utils.set_random_seed(0)
        model = normalised_recipe(1).build()
        found = predict(model, pixels, batch_size=4)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_parts_of_batches_add_up():
    def recipe(batch_size):
        stages = [
            dataclasses.replace(
                stage, batch_size=batch_size, drop_remainder=True
            )
            for stage in toy.dense_recipe().stages
        ]
        return dataclasses.replace(toy.dense_recipe(), stages=(*stages,))

    plain = {"augment": Augment()}  # drawn for a batch
    whole = train(recipe(16), plain)
    assert_close(train(recipe(4), plain, accumulate_steps=4), whole)
    with toy.two_devices():
        assert_close(train(recipe(4), plain, accumulate_steps=4), whole)


def test_parts_of_batches_need_our_optimizer():
    (stage,) = normalised_recipe(1).stages
    theirs = dataclasses.replace(
        stage, optimizer=lambda steps: keras.optimizers.Adam()
    )
    recipe = dataclasses.replace(normalised_recipe(1), stages=(theirs,))
    with pytest.raises(ValueError, match="needs `optimizers.SGD` in stage"):
        train(recipe, accumulate_steps=2)


@pytest.mark.slow
@ONLY_TENSORFLOW
def test_our_parts_in_a_scope_of_the_user():
    """Stock `fit` on arrays, and `fuse_steps` with a data set of Keras's."""
    pixels, labels = toy.images((24, 16, 8), 0)
    order = np.random.default_rng(0).permutation(48)
    pixels, labels = pixels[order] / 255, labels[order]

    def fit(fused):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Flatten(),
                BatchNormalization(synchronize=True),
                keras.layers.Dense(9, kernel_constraint=ClassMaxNorm(0.5)),
                keras.layers.Reshape((3, 3)),
            ]
        )
        model.compile(
            SGD(0.1, momentum=0.9, l2=1e-3),
            ResLTLoss((24, 16, 8), beta=0.9),
            metrics=shot_accuracy_metrics((24, 16, 8), num_views=3),
            jit_compile=False,
        )
        if fused:
            fuse_steps(model, 4)  # of six
        options = {"epochs": 4, "shuffle": False, "verbose": 0}
        history = model.fit(pixels, labels, batch_size=8, **options).history
        return model, history

    alone, expected = fit(fused=False)
    for fused in (False, True):
        with toy.two_devices():
            spread, found = fit(fused)
        assert_close(spread, alone)
        for name, values in expected.items():
            assert found[name] == pytest.approx(values, rel=1e-4)


@pytest.mark.slow
@ONLY_TENSORFLOW
def test_callbacks_and_added_losses_outside_of_the_scope():
    """Replicas wait for each other in the loss, after a layer added its own."""
    counts = (60, 20, 4)
    x = np.random.default_rng(0).normal(size=(80, 16)).astype("float32")
    y = np.repeat([0, 1, 2], (57, 19, 4))

    def fit(scope):
        keras.utils.set_random_seed(0)
        with scope:
            images = keras.Input((16,))
            student = keras.layers.Dense(3, name="student")
            teacher = keras.layers.Dense(3, name="teacher")
            together = layers.Distillation(name="distillation")
            logits = together(student(images), teacher(images))
            model = keras.Model(images, logits)
            freeze(teacher, statistics="moving")
            loss = LDAMLoss(counts, scale=1.0, reweighted=True)
            model.compile(SGD(0.05), loss, jit_compile=False)
        seen = callbacks.RecordClassNorms("student")
        history = model.fit(
            x,
            y,
            epochs=4,
            batch_size=16,
            shuffle=False,
            verbose=0,
            callbacks=[
                callbacks.TeacherUpdate(momentum=0.9),
                callbacks.DistillationWarmup(epochs=2),
                callbacks.DeferredReweighting(epoch=2),
                callbacks.ProjectWeights(ClassMaxNorm(0.7), layer="student"),
                seen,
            ],
        )
        return model, seen.norms, history.history["loss"]

    alone, norms, losses = fit(contextlib.nullcontext())
    spread, their_norms, their_losses = fit(toy.mirrored().scope())
    assert_close(spread, alone)
    np.testing.assert_allclose(their_norms, norms, rtol=1e-5)
    np.testing.assert_allclose(their_losses, losses, rtol=1e-5)
    for variable in spread.variables:
        np.testing.assert_array_equal(*toy.copies(variable))
