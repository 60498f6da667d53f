"""From a trained model to a file that serves without Keras.

Importing it does not bring Keras: `export.answer` asks artefacts without it.
"""

from typing import TYPE_CHECKING, Any

from keras_lt.export.drawn import draw_images

if TYPE_CHECKING:
    from keras_lt.export.artefact import FORMATS, export

__all__ = ["FORMATS", "draw_images", "export"]


def __getattr__(name: str) -> Any:
    if name in ("FORMATS", "export"):
        from keras_lt.export import artefact

        return getattr(artefact, name)
    raise AttributeError(f"module 'keras_lt.export' has no attribute {name!r}")
