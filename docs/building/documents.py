"""Pages that are documents of the repository, with their links to others."""

import functools
import pathlib
import posixpath
import re
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]
PAGES = {  # of the site, and where their text lies
    "project/results.md": "experiments/results/README.md",
    "project/changelog.md": "keras_lt/CHANGELOG.md",
    "project/security.md": "SECURITY.md",
    "project/set-up.md": "BUILD.md",
}
# The section of BUILD.md that is a page of its own.
CONTRIBUTING = re.compile(
    r"^## Contributing\n.*?(?=^## )", re.DOTALL | re.MULTILINE
)
LINK = re.compile(r"(\]\()([\w./-]+)(\))")


def pages() -> dict[str, Any]:
    """Content of each page and of the images of results, by path."""
    images = (ROOT / "experiments" / "results").glob("*.png")
    found = {f"project/{image.name}": image.read_bytes() for image in images}
    for page, document in PAGES.items():
        at = functools.partial(_on_site, posixpath.dirname(document))
        found[page] = LINK.sub(at, (ROOT / document).read_text())
    part = CONTRIBUTING.search(found["project/set-up.md"])
    found["project/set-up.md"] = CONTRIBUTING.sub("", part.string)
    found["project/contributing.md"] = part[0].replace("\n##", "\n#")[1:]
    return found


def _on_site(folder: str, link: re.Match) -> str:
    """A link between documents as one between their pages."""
    target = posixpath.normpath(posixpath.join(folder, link[2]))
    if target.startswith("docs/"):
        return f"{link[1]}../{target.removeprefix('docs/')}{link[3]}"
    at = {document: page for page, document in PAGES.items()}.get(target)
    return f"{link[1]}{posixpath.basename(at)}{link[3]}" if at else link[0]
