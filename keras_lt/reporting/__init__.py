"""Pages for people: one HTML file each, which asks nothing of a network.

Importing it brings neither Keras nor Jinja2, which `render` needs.
"""

from keras_lt.reporting.from_python import report
from keras_lt.reporting.subject import Subject

__all__ = ["Subject", "report"]
