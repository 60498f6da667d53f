"""What the name of an encoder from elsewhere says."""

import ast
import dataclasses
import pathlib
import re
from typing import Any

import keras

from keras_lt.domains import Domain, shown

APPLICATIONS, HUB, FILE = "keras.applications.", "keras_hub:", ".keras"
LITE0 = "efficientnet_lite0"
# How pixels are read, by name: mean and deviation on the scale 0..1.
SCALES = {
    "pixels": ((0.0,) * 3, (1 / 255,) * 3),  # as they are, in 0..255
    "unit": ((0.0,) * 3, (1.0,) * 3),
    "symmetric": ((0.5,) * 3, (0.5,) * 3),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "clip": (
        (0.48145466, 0.4578275, 0.40821073),
        (0.26862954, 0.26130258, 0.27577711),
    ),
}
_DOMAINS = {
    "pool": Domain(known=("cls", "mean", "map")),
    "scale": Domain(known=(*SCALES, "data")),
    "size": Domain(0, 2**14, above=True),
}
_OPTIONS = re.compile(r"(?P<name>.*)@(?P<options>\w+=[\w.=,-]*)", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Reading:
    """How features are got out of an encoder.

    Args:
        pool: Of tokens, `cls` (the first) or `mean` (all but class and
            register tokens); `map` (attention) only where the encoder has
            pooled by it itself. Maps are averaged. Default: what fits.
        scale: Pixels that the encoder reads: a name in `SCALES`, or `data`
            (by the statistics of the data set). Default: its own.
        size: Pixels of a side that images are brought to. Default: what the
            encoder needs; else they stay as they are.
        layer: Name of the layer whose output are the features. Default: the
            last.
    """

    pool: str | None = None
    scale: str | None = None
    size: int | None = None
    layer: str | None = None


def is_foreign(backbone: Any) -> bool:
    """Whether a backbone is one from elsewhere."""
    if isinstance(backbone, keras.Model):
        return True
    name = split(backbone)[0]
    named = name.startswith((APPLICATIONS, HUB)) or name.endswith(FILE)
    return named or name == LITE0


def label(backbone: Any) -> str:
    """A short name that Keras takes for a model's."""
    name = backbone
    if isinstance(backbone, keras.Model):
        name = backbone.name
    elif is_foreign(backbone):
        name = split(backbone)[0].partition("(")[0].removesuffix(FILE)
        if name.startswith(APPLICATIONS):
            name = name.removeprefix(APPLICATIONS).partition(":")[0]
        name = re.split(r"[:/\\]", name)[-1]
    return re.sub(r"\W+", "_", name)


def weights_file(backbone: str) -> pathlib.Path | None:
    """The file that has the weights of an encoder, if one is named."""
    name = split(backbone)[0]
    if name.startswith(APPLICATIONS):
        name = name.removeprefix(APPLICATIONS).partition(":")[2]
    path = pathlib.Path(name)
    return path if name.endswith((FILE, ".h5")) and path.is_file() else None


def split(backbone: str) -> tuple[str, Reading]:
    """A name without its options, and these.

    Raises:
        ValueError: for an option that is not one of `Reading`.
    """
    found = _OPTIONS.fullmatch(backbone)
    if not found:
        return backbone, Reading()
    values: dict[str, Any] = {}
    for text in found["options"].split(","):
        key, _, value = text.partition("=")
        if key not in vars(Reading()):
            raise ValueError(
                f"`backbone` has the option {shown(key)} after '@'; there are "
                f"{[*vars(Reading())]}"
            )
        values[key] = int(value) if value.isdecimal() else value
        domain = _DOMAINS.get(key, Domain())
        wrong = domain.wrong(values[key])
        if key == "size" and not isinstance(values[key], int):
            wrong = f"must be a whole number, got {shown(value)}"
        if wrong:
            raise ValueError(f"`backbone`: {key} {wrong}")
    return found["name"], Reading(**values)


def call(text: str) -> tuple[str, dict[str, Any] | None]:
    """Turn `"Name(key=1)"` into a name and literals; `"name"` has None.

    Raises:
        ValueError: if it is a call with anything but literals by name.
    """
    if "(" not in text:
        return text, None
    wrong = ValueError(
        "`backbone` must be keras_hub:PRESET or keras_hub:CLASS(key=value, "
        f"...) with literal values, got {shown(text)}"
    )
    try:
        node = ast.parse(text.strip(), mode="eval").body
        if not isinstance(node, ast.Call) or node.args:
            raise wrong
        if not isinstance(node.func, ast.Name):
            raise wrong
        if any(each.arg is None for each in node.keywords):
            raise wrong
        values = {
            str(each.arg): ast.literal_eval(each.value)
            for each in node.keywords
        }
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise wrong from None
    return node.func.id, values
