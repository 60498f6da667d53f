"""From a trained model to a file that serves without Keras."""

from keras_lt.export.artefact import FORMATS, export

__all__ = ["FORMATS", "export"]
