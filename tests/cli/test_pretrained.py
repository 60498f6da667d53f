"""Starts from files of weights that were trained elsewhere."""

import sys

import keras
import numpy as np
import programs
import pytest
from torch_layout import state_dict

from keras_lt.cli import train
from keras_lt.models import classifier, load_encoder_weights
from keras_lt.problem import Problem
from keras_lt.runs import weight_files
from keras_lt.runs.start import find_start

ONES = (1, 1, 1, 1)
START = (
    *("--method=ce", "--set=backbone=resnet10", "--set=width=8"),
    *("--set=epochs=(1,)", "--set=lr=1e-9", "--noplots"),
    *("--init_from=weights.npz", "--workdir=run"),
)


def write(folder, **changes):
    state = state_dict(ONES, 8, channels=1) | changes
    np.savez(folder / "weights.npz", **state)
    return state


@pytest.mark.slow
@programs.once("tensorflow")
def test_a_run_starts_from_a_state_dict(tmp_path):
    state = write(tmp_path)
    out, _ = programs.run("train.py", *START, cwd=tmp_path)
    assert "stage train starts from weights.npz" in out
    trained = keras.saving.load_model(tmp_path / "run" / "model.keras")
    stem = trained.get_layer("encoder").get_layer("stem_conv")
    kernel = state["conv1.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_allclose(stem.kernel, kernel, atol=1e-6)
    digest = programs.result(tmp_path / "run")["init_from_sha256"]
    # The content of the file decides the result.
    write(tmp_path, **{"bn1.bias": state["bn1.bias"] + 1})
    _, err = programs.run("train.py", *START, cwd=tmp_path, status=2)
    assert f"init_from_sha256 is '{digest}' there" in err.splitlines()[-1]


@programs.once("tensorflow")
def test_one_line_names_experts_that_start_anew(tmp_path, capsys):
    state = state_dict((1, 1, 1), 4, channels=1, stem=3)
    state = {n: a for n, a in state.items() if "downsample" not in n}
    np.savez(tmp_path / "weights.npz", **state)
    argv = [
        "train.py",
        "--method=ride",
        "--set=width=4",
    ]
    argv += ["--set=backbone=resnet8", f"--init_from={tmp_path}/weights.npz"]
    (run,) = train.prepare(argv)
    assert not capsys.readouterr().out
    _, begin = find_start(run.config, run.recipe).source(verbose=True)
    begin(run.recipe.build())
    line = "not of its shapes, and new: expert1, expert2, expert3\n"
    assert capsys.readouterr().out == line


def test_other_depths_are_refused(tmp_path):
    write(tmp_path, **{"layer3.1.conv1.weight": np.zeros((4, 4, 3, 3))})
    _, err = programs.run("train.py", *START, cwd=tmp_path, status=2)
    assert err.splitlines()[-1] == (
        "error: weights to start from do not fit: the source has "
        "'layer3.1.conv1.weight', which the encoder has not"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.npz", "a.npz cannot be read: "),
        ("a.keras", "a.keras cannot be read: "),
        ("a.h5", "must be a folder or a file .keras, .npz, .*a.h5"),
    ],
)
def test_files_that_hold_no_weights(name, message, tmp_path):
    (tmp_path / name).write_text("no weights")
    with pytest.raises(ValueError, match=message) as error:
        weight_files.read(tmp_path / name)
    assert "\n" not in str(error.value)


def test_pickles_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", weights=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="holds objects of Python"):
        weight_files.read(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.pth", r"a.pth needs the package torch:.*numpy.savez\("),
        ("a.safetensors", "needs the package safetensors.*, or give an .npz"),
    ],
)
def test_packages_that_are_missing(name, message, tmp_path, monkeypatch):
    for package in ("torch", "safetensors"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=message) as error:
        weight_files.read(tmp_path / name)
    assert "\n" not in str(error.value)


def test_reads_safetensors(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    state = state_dict(ONES, 4)
    numpy.save_file(state, tmp_path / "a.safetensors")
    found = weight_files.read(tmp_path / "a.safetensors")
    assert found.keys() == state.keys()
    np.testing.assert_array_equal(found["fc.weight"], state["fc.weight"])


def torch_network(torch, blocks, width):
    """ResNet of basic blocks, with torchvision's names."""
    nn = torch.nn

    def conv(inputs, outputs, size, stride):
        return nn.Conv2d(
            inputs, outputs, size, stride, size // 2, bias=False
        ), nn.BatchNorm2d(outputs)

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1, self.bn1 = conv(inputs, outputs, 3, stride)
            self.conv2, self.bn2 = conv(outputs, outputs, 3, 1)
            if inputs != outputs:
                self.downsample = nn.Sequential(
                    *conv(inputs, outputs, 1, stride)
                )

        def forward(self, x):
            y = torch.relu(self.bn1(self.conv1(x)))
            y = self.bn2(self.conv2(y))
            return torch.relu(y + getattr(self, "downsample", nn.Identity())(x))

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = conv(3, width, 7, 2)
            inputs = width
            for stage, count in enumerate(blocks):
                outputs, row = width * 2**stage, []
                for block in range(count):
                    stride = 2 if stage and not block else 1
                    row.append(Block(inputs, outputs, stride))
                    inputs = outputs
                setattr(self, f"layer{stage + 1}", nn.Sequential(*row))
            self.fc = nn.Linear(inputs, 3)

        def forward(self, x):
            x = torch.relu(self.bn1(self.conv1(x)))
            x = nn.functional.max_pool2d(x, 3, 2, 1)
            for stage in range(len(blocks)):
                x = getattr(self, f"layer{stage + 1}")(x)
            return self.fc(x.mean((2, 3)))

    return ResNet()


@pytest.mark.slow
@programs.once("tensorflow")
def test_logits_are_those_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = torch_network(torch, ONES, 4)
    images = torch.randn(8, 3, 64, 64)
    for _ in range(5):
        network(images)  # moves the statistics
    network.eval()
    torch.save(network.state_dict(), tmp_path / "a.pth")
    state = weight_files.read(tmp_path / "a.pth")
    model = classifier("resnet10", Problem((64, 64, 3), (5, 3, 2)), width=4)
    load_encoder_weights(model, state)
    features = model.get_layer("encoder")(images.numpy().transpose(0, 2, 3, 1))
    head = model.get_layer("head")
    head.set_weights([state["fc.weight"].T, state["fc.bias"]])
    wanted = network(images).detach().numpy()
    np.testing.assert_allclose(head(features), wanted, rtol=1e-4, atol=1e-4)


def test_pytorch_files_that_hold_no_state_dict(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"state_dict": {}, "epoch": 7}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match="holds no state dict"):
        weight_files.read(tmp_path / "a.pt")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "b.pt")
    with pytest.raises(ValueError, match="b.pt cannot be read: ") as error:
        weight_files.read(tmp_path / "b.pt")
    assert "\n" not in str(error.value)


def test_logits_are_those_of_keras_hub(tmp_path):
    hub = pytest.importorskip("keras_hub")
    body = hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
    )
    body.save(tmp_path / "a.keras")
    model = classifier("resnet10", Problem((32, 32, 3), (5, 3, 2)))
    load_encoder_weights(model, weight_files.read(tmp_path / "a.keras"))
    images = np.random.default_rng(0).normal(size=(2, 32, 32, 3))
    wanted = np.mean(body(images), axis=(1, 2))
    found = model.get_layer("encoder")(images)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
