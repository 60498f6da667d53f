"""A frozen encoder with a few weights that learn."""

import threading
from collections.abc import Sequence

import keras
from keras import ops

from keras_lt.keras_internals import flatten_layers, replace_part
from keras_lt.layers import AdaptFormer, LoRA, ScaleAndShift
from keras_lt.models import anatomy
from keras_lt.models.new_heads import same
from keras_lt.models.transformer_blocks import Block, blocks, projections


@keras.saving.register_keras_serializable(package="keras_lt")
class AdaptedEncoder(keras.layers.Layer):
    """An encoder that computes as at inference, with small parts that learn.

    Batch normalisation has its moving statistics and nothing is dropped, also
    in training.

    Args:
        encoder: A model, images to features `(B, D)`; changed in place.
        lora: Rank of a `layers.LoRA` on the queries and values of each block
            of a transformer; 0 for none.
        adaptformer: Rank of a `layers.AdaptFormer` beside each MLP; 0 for
            none.
        scale_and_shift: Whether a `layers.ScaleAndShift` follows.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: images, as the encoder takes them.
    Returns: features `(B, D)`.
    Raises: ValueError: if a transformer is needed and `encoder` has no blocks
        that can be changed, naming those that have.
    """

    def __init__(
        self,
        encoder: keras.Model,
        *,
        lora: int = 0,
        adaptformer: int = 0,
        scale_and_shift: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.lora, self.adaptformer = int(lora), int(adaptformer)
        self.scale_and_shift = bool(scale_and_shift)
        if self.lora:
            _add_lora(encoder, self.lora)
        if self.adaptformer:
            _add_adapters(encoder, self.adaptformer)
        if self.scale_and_shift:
            self.last = ScaleAndShift(name="scale_and_shift")
            self.last.build(encoder.output_shape)

    def call(self, inputs):
        """Encode."""
        x = self.encoder(inputs, training=False)
        return self.last(x) if self.scale_and_shift else x

    def compute_output_shape(self, input_shape):
        """Return the shape of the features."""
        return (input_shape[0], *self.encoder.output_shape[1:])

    @property
    def learners(self) -> list[keras.Layer]:
        """The small parts."""
        kinds = AdaptFormer, LoRA, ScaleAndShift
        return [p for p in flatten_layers(self) if isinstance(p, kinds)]

    @property
    def small_variables(self) -> list[keras.Variable]:
        """The variables of the small parts, without those that they change."""
        return [
            variable
            for part in self.learners
            for variable in (
                [part.down, part.up]
                if isinstance(part, LoRA)
                else part.variables
            )
        ]

    def folded(self) -> keras.Layer:
        """An encoder that does the same, with as few parts as that needs.

        LoRA becomes part of the kernels. The others stay: what they do is not
        linear, or comes last.
        """
        if not self.learners:
            return self.encoder
        loras = [p for p in flatten_layers(self) if isinstance(p, LoRA)]
        left_out = {id(w) for lora in loras for w in (lora.down, lora.up)}
        kernels = {id(lora.layer.kernel): lora.folded() for lora in loras}
        values = [
            kernels.get(id(w), ops.convert_to_numpy(w))
            for w in self.variables
            if id(w) not in left_out
        ]
        config = {**self.get_config(), "lora": 0}
        plain = AdaptedEncoder.from_config(config)
        for variable, value in zip(plain.variables, values, strict=True):
            variable.assign(value)
        return plain if plain.learners else plain.encoder

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "lora": self.lora,
            "adaptformer": self.adaptformer,
            "scale_and_shift": self.scale_and_shift,
        }

    @classmethod
    def from_config(cls, config):
        """Make one of what `get_config` gave."""
        encoder = keras.saving.deserialize_keras_object(config["encoder"])
        return cls(**{**config, "encoder": encoder})


def _add_lora(encoder: keras.Model, rank: int) -> None:
    targets = [pair for b in _some_blocks(encoder) for pair in projections(b)]
    if not targets:
        raise ValueError(
            f"`encoder`: no block of {encoder.name!r} has queries and values "
            "that LoRA could change"
        )
    for owner, part in targets:
        changed = LoRA(part, rank, dtype=part.dtype_policy, name=part.name)
        changed.build((None, None, part.kernel.shape[0]))
        replace_part(owner, part, changed)


def _add_adapters(encoder: keras.Model, rank: int) -> None:
    for block in _some_blocks(encoder):
        said = _Said()
        reads = _Reads(block.norm, rank, said)
        replace_part(block.layer, block.norm, reads)
        replace_part(block.layer, block.end, _Adds(block.end, said))


def _some_blocks(encoder: keras.Model) -> Sequence[Block]:
    found = blocks(encoder)
    if not found:
        raise ValueError(
            "`encoder` must be a transformer of KerasHub (ViT, DINOv2, DINOv3, "
            "SigLIP, CLIP) for LoRA and AdaptFormer; "
            f"{encoder.name!r} has no such blocks"
        )
    return found


class _Said(threading.local):
    """What an adapter said, on its way to the end of the block."""

    value = None


class _Reads(keras.layers.Layer):
    """The normalisation before the MLP, and an adapter on its input."""

    def __init__(self, norm, rank, said):
        super().__init__(dtype=norm.dtype_policy, name=norm.name)
        self.norm, self.said = norm, said
        self.adapter = AdaptFormer(
            rank, dtype=norm.dtype_policy, name="adaptformer"
        )
        self.adapter.build((None, None, norm.gamma.shape[0]))

    def call(self, inputs):
        self.said.value = self.adapter(inputs)
        return self.norm(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


class _Adds(keras.layers.Layer):
    """The last part of the MLP's branch, and what the adapter said."""

    def __init__(self, end, said):
        super().__init__(dtype=end.dtype_policy, name=end.name)
        self.end, self.said = end, said

    def call(self, inputs):
        value, self.said.value = self.said.value, None
        return self.end(inputs) + value

    def compute_output_shape(self, input_shape):
        return self.end.compute_output_shape(input_shape)


def adapted(model: keras.Model, **kinds) -> keras.Model:
    """The model with an `AdaptedEncoder` in place of its encoder.

    Args:
        model: Made by `classifier`; its encoder is changed in place.
        **kinds: Of `AdaptedEncoder`.
    """
    ((encoder, head),) = anatomy.classifiers(model)
    made = AdaptedEncoder(encoder, name=anatomy.ENCODER, **kinds)
    return _around(made, head, model)


def plain(model: keras.Model) -> keras.Model:
    """What answers for a model: its small parts are folded where they can."""
    ((encoder, head),) = anatomy.classifiers(model)
    if not isinstance(encoder, AdaptedEncoder):
        return model
    return _around(encoder.folded(), head, model)


def _around(encoder, head, model):
    images = keras.Input(model.input_shape[1:], name="images")
    features = encoder(anatomy.normalized(model, images))
    return keras.Model(images, same(features, head), name=model.name)
