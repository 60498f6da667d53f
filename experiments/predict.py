r"""Ask an exported model: python experiments/predict.py ARTEFACT IMAGES...

ARTEFACT is what export.py wrote, but for model.keras. IMAGES are files, folders
of them, or .npy arrays of pixels `(B, H, W, channels)`. Prints the most
probable classes of each image.

Examples:
  python experiments/predict.py RUN/export/saved_model photos/ cat.png

  For traffic in which all classes are equally frequent:
    python experiments/predict.py RUN/export/model.onnx photos/ --prior=uniform
"""

import pathlib
import sys

import command_line
import numpy as np
from absl import flags

FLAGS = flags.FLAGS
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".npy", ".png", ".webp")


def define_flags() -> None:
    """Declare the flags, in the order in which `--help` shows them."""
    flags.DEFINE_integer("top", 3, "Classes to show.")
    flags.DEFINE_string(
        "prior",
        None,
        "Prior of the classes where the images come from: uniform, or one "
        "number a class, with commas between them. Default: that of the "
        "training images.",
    )


def prepare(argv: list[str]):
    """Read the artefact and the images."""
    artefact, *paths = command_line.parse(argv, ["ARTEFACT", "IMAGES..."])
    if FLAGS.top < 1:
        raise ValueError(f"--top must be >= 1, got {FLAGS.top}")
    artefact = pathlib.Path(artefact)
    command_line.set_backend(None)
    from keras_lt.export import answer

    ask, content = answer.load(artefact), answer.read_metadata(artefact)
    files = [file for path in paths for file in _files(pathlib.Path(path))]
    if not files:
        raise ValueError(f"IMAGES: there are none in {paths}")
    pixels = [_read(file, content["image_shape"]) for file in files]
    names = [
        f"{file}[{i}]" if file.suffix == ".npy" else str(file)
        for file, images in zip(files, pixels, strict=True)
        for i in range(len(images))
    ]
    return ask, content, names, np.concatenate(pixels), _shift(content)


def _files(path):
    if not path.exists():
        raise ValueError(f"IMAGES: {path} is missing")
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("*"))
    return [file for file in found if file.suffix.lower() in SUFFIXES]


def _read(path, shape):
    """Pixels uint8 `(B, H, W, channels)` of the model's size."""
    if path.suffix == ".npy":
        images = np.load(path, allow_pickle=False)
        if images.shape[1:] != tuple(shape) or images.dtype != np.uint8:
            raise ValueError(
                f"IMAGES: {path} must hold uint8 (B, *{tuple(shape)}), got "
                f"{images.dtype} {images.shape}"
            )
        return images
    import PIL.Image

    height, width, channels = shape
    try:
        with PIL.Image.open(path) as image:
            image = image.convert("L" if channels == 1 else "RGB")
            image = image.resize((width, height), PIL.Image.Resampling.BILINEAR)
            return np.asarray(image).reshape(1, *shape)
    except OSError as error:
        raise ValueError(f"IMAGES: {path} is no image: {error}") from error


def _shift(content):
    """What `--prior` adds to the logits."""
    counts = np.array(content["class_counts"], "float64")
    if FLAGS.prior is None:
        return 0.0
    if FLAGS.prior == "uniform":
        prior = np.ones_like(counts)
    else:
        try:
            prior = np.array([float(x) for x in FLAGS.prior.split(",")])
        except ValueError:
            prior = np.zeros(0)
    if prior.shape != counts.shape or not (prior > 0).all():
        raise ValueError(
            f"--prior must be uniform or {len(counts)} numbers > 0, got "
            f"{FLAGS.prior!r}"
        )
    prior, trained = prior / prior.sum(), counts / counts.sum()
    return np.log(prior) - np.log(trained)


def main(argv: list[str]) -> None:
    """Ask, and print a table."""
    define_flags()
    if command_line.wants_help(argv):
        command_line.print_help(__doc__, FLAGS)
        return
    ask, content, names, images, shift = command_line.checked(prepare, argv)
    logits = command_line.checked(ask, images) + shift
    logits -= logits.max(1, keepdims=True)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    width = max(map(len, names))
    for name, share in zip(names, shares, strict=True):
        best = np.argsort(-share)[: FLAGS.top]
        cells = [
            f"{content['class_names'][c]} {100 * share[c]:.1f} %" for c in best
        ]
        print(f"{name:<{width}}  {',  '.join(cells)}")


if __name__ == "__main__":
    main(sys.argv)
