"""What MkDocs asks while it builds the documentation."""

import importlib.util
import os
import pathlib
import sys

from mkdocs.structure.files import File

sys.path.insert(0, str(pathlib.Path(__file__).parent))
if importlib.util.find_spec("jax"):
    os.environ.setdefault("KERAS_BACKEND", "jax")
import differences  # noqa: E402
import documents  # noqa: E402
import examples  # noqa: E402
import pictures  # noqa: E402
import reference  # noqa: E402

PLACES = reference.places()


def on_config(config):
    """Complete the navigation: the reference, and the examples."""
    parts = [{pathlib.Path(page).stem: page} for page in reference.pages()]
    made = {"API reference": parts, "Examples": examples.names()}
    for entry in config.nav:
        for title in made.keys() & entry.keys():
            entry[title] = made[title]
    return config


def on_files(files, config):
    """Add the pages that are made from other files of the repository."""
    made = [
        *reference.pages().items(),
        ("explanations/differences.md", differences.page()),
        *documents.pages().items(),
        *pictures.pictures(),
        *examples.pages(),
    ]
    for path, text in made:
        files.append(File.generated(config, path, content=text))
    return files


def on_page_content(html, page, config, files):
    """Link public names to where they are documented."""
    return reference.linked(html, PLACES)
