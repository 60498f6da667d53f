"""Encoders that were made elsewhere."""

import keras
import numpy as np
import programs
import pytest
from keras import layers

from keras_lt.methods import METHODS
from keras_lt.models import anatomy, classifier, foreign
from keras_lt.training import Problem

PROBLEM = Problem((8, 8, 3), (5, 3, 2), (0.5, 0.4, 0.3), (0.2, 0.3, 0.2))
GREY = Problem((8, 8, 1), (5, 3, 2))
SIZES = "patch_size=16,num_layers=1,num_heads=2,hidden_dim=8,"
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), "uint8")
pytestmark = programs.once("tensorflow")


def convolutional(channels=3):
    """From images of any size to maps."""
    images = keras.Input((None, None, channels))
    x = layers.Conv2D(4, 3, 2, name="first")(images)
    return keras.Model(images, layers.BatchNormalization()(x), name="own_net")


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "net.keras"
    convolutional().save(path)
    return str(path)


def answers(model, images=IMAGES):
    return np.array(model(images.astype("float32")))


def reloaded(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return keras.saving.load_model(tmp_path / "model.keras")


def test_a_saved_model_reads_pixels(saved, tmp_path):
    model = classifier(saved, PROBLEM)
    base = keras.saving.load_model(saved)
    (found,) = anatomy.features(model, IMAGES.astype("float32"))
    pixels = IMAGES.astype("float32")
    big = keras.ops.image.resize(pixels, (32, 32))
    wanted = np.mean(answers(base, np.array(big)), (1, 2))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-4)
    again = reloaded(model, tmp_path)
    np.testing.assert_array_equal(answers(again), answers(model))


def test_a_model_is_copied_with_its_weights():
    base = convolutional()
    one, two = (classifier(base, PROBLEM) for _ in "ab")
    kernels = [
        anatomy.encoders(model)[0].get_weights()[0] for model in (one, two)
    ]
    for kernel in kernels:
        np.testing.assert_array_equal(kernel, base.get_weights()[0])
    anatomy.encoders(one)[0].set_weights(
        [0 * value for value in base.get_weights()]
    )
    assert np.any(base.get_weights()[0])


def test_grey_images_become_three_channels(saved):
    grey, colour = (
        foreign.preprocess(saved, problem) for problem in (GREY, PROBLEM)
    )
    image = IMAGES[..., :1].astype("float32")
    np.testing.assert_array_equal(
        answers(grey, image), answers(colour, np.repeat(image, 3, -1))
    )


@pytest.mark.parametrize("name", ["ResNet50", "MobileNetV2", "DenseNet121"])
def test_pixels_are_read_as_the_application_does(name):
    """Their three kinds: other order, -1 to 1, mean and deviation."""
    layer = foreign.preprocess(f"keras.applications.{name}:none", PROBLEM)
    of = {"ResNet50": "resnet", "MobileNetV2": "mobilenet_v2"}
    module = getattr(keras.applications, of.get(name, "densenet"))
    wanted = module.preprocess_input(IMAGES.astype("float32"))
    np.testing.assert_allclose(answers(layer), wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("pool", ["", "@pool=mean"])
def test_tokens_of_keras_hub(pool, tmp_path):
    pytest.importorskip("keras_hub")
    name = f"keras_hub:ViTBackbone({SIZES}mlp_dim=8,image_shape=(32,32,3))"
    model = classifier(name + pool, PROBLEM)
    (encoder,) = anatomy.encoders(model)
    tokens = next(x for x in encoder.layers if isinstance(x, keras.Model))
    x = np.ones((2, 32, 32, 3), "float32")
    found = np.array(
        tokens(keras.tree.map_structure(lambda _: x, tokens.input))
    )
    wanted = found[:, 1:].mean(1) if pool else found[:, 0]
    whole = foreign.open_encoder(name + pool, (32, 32, 3))
    whole.set_weights(encoder.get_weights())
    np.testing.assert_allclose(answers(whole, x), wanted, rtol=1e-5, atol=1e-5)
    again = reloaded(model, tmp_path)
    np.testing.assert_array_equal(answers(again), answers(model))


@pytest.mark.parametrize("method", ["ce", "wb", "ldam", "reslt", "ssd"])
def test_methods_build_on_it(method):
    model = METHODS[method](PROBLEM, backbone=convolutional()).build()
    assert model.output_shape[-1] == 3


def test_a_preset_of_keras_hub_brings_its_preprocessing(tmp_path):
    hub = pytest.importorskip("keras_hub")
    base = hub.models.ViTBackbone(
        image_shape=(32, 32, 3),
        patch_size=(16, 16),
        **{"num_layers": 1, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 8},
    )
    converter = hub.layers.ViTImageConverter(
        image_size=(32, 32), scale=[1 / 127.5] * 3, offset=[-1.0] * 3
    )
    for part in (base, converter):
        part.save_to_preset(str(tmp_path / "tiny"))
    problem = Problem((32, 32, 3), (5, 3, 2))
    model = classifier(f"keras_hub:{tmp_path / 'tiny'}", problem)
    pixels = np.repeat(np.repeat(IMAGES, 4, 1), 4, 2).astype("float32")
    (found,) = anatomy.features(model, pixels)
    tokens = base(converter(pixels))
    np.testing.assert_allclose(found, tokens[:, 0], atol=1e-5)


def with_blocks():
    """A stem and two blocks with shortcuts of two kernels each."""
    images = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", name="stem")(images)
    for number in range(2):
        inner = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        inner = layers.Conv2D(4, 3, padding="same")(inner)
        x = layers.Add(name=f"block{number}")([x, inner])
    return keras.Model(images, x, name="own_net")


def test_experts_begin_as_copies_of_the_last_block(tmp_path):
    base = with_blocks()
    model = METHODS["ride"](PROBLEM, backbone=base).build()
    pixels = IMAGES.astype("float32")
    (whole,) = anatomy.features(classifier(base, PROBLEM), pixels)
    found = anatomy.features(model, pixels)
    assert len(found) == 3
    for features in found:
        np.testing.assert_allclose(features, whole, rtol=1e-5)
    # The last place that all goes through, with three kernels behind it.
    trunk, (first, *_) = model.get_layer("trunk"), anatomy.encoders(model)
    assert [len(part.get_weights()) for part in (trunk, first)] == [2, 8]
    first.layers[1].layers[-2].kernel.assign(np.zeros((3, 3, 4, 4)))
    changed, *others = anatomy.features(model, pixels)
    assert np.abs(np.array(changed) - np.array(whole)).max() > 1e-3
    np.testing.assert_allclose(others[0], whole, rtol=1e-5)
    again = reloaded(model, tmp_path)
    np.testing.assert_array_equal(answers(again), answers(model))


def test_networks_without_a_last_block_say_no(saved):
    with pytest.raises(ValueError, match="`backbone` must have a last block"):
        METHODS["ride"](PROBLEM, backbone=saved).build()
    with pytest.raises(ValueError, match="`width` must be None"):
        METHODS["ride"](PROBLEM, backbone=with_blocks(), width=4).build()


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("nothing.keras", "no file 'nothing.keras'"),
        ("keras.applications.ResNet49", "has no 'ResNet49'"),
        ("keras_hub:ViTBackbone(__import__('os'))", "literal values"),
        ("keras_hub:ViTBackbone(a=open('x'))", "literal values"),
        ("keras_hub:Nothing(a=1)", "no backbone 'Nothing'"),
        ("keras_hub:ViTBackbone(a=1)", "does not take"),
        ("net.keras@pool=max", "pool must be one of"),
        ("net.keras@pond=cls", "option 'pond'"),
        ("net.keras@size=large", "size must be a whole number"),
        ("renset8", "must be one of .*resnet8"),
    ],
)
def test_what_cannot_be_had(backbone, message):
    if backbone.startswith(foreign.HUB) and "__" not in backbone:
        pytest.importorskip("keras_hub")
    with pytest.raises(ValueError, match=message):
        classifier(backbone, PROBLEM)


def test_options_that_do_not_fit(saved):
    for option, message in (
        ("pool=cls", "maps have no pool=cls"),
        ("layer=second", "no layer 'second'"),
    ):
        with pytest.raises(ValueError, match=message):
            classifier(f"{saved}@{option}", PROBLEM)
    assert classifier(f"{saved}@layer=first", PROBLEM).output_shape == (None, 3)
    with pytest.raises(ValueError, match="`width` must be None"):
        classifier(saved, PROBLEM, width=4)
