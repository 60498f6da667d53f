"""Pages that are documents of the repository, with their links to others."""

import functools
import pathlib
import posixpath
import re

ROOT = pathlib.Path(__file__).parents[2]
PAGES = {  # of the site, and where their text lies
    "project/results.md": "experiments/results/README.md",
    "project/changelog.md": "keras_lt/CHANGELOG.md",
    "project/security.md": "SECURITY.md",
    "project/set-up.md": "BUILD.md",
}
LINK = re.compile(r"(\]\()([\w./-]+)(\))")


def pages() -> dict[str, str | bytes]:
    """Content of each page and of the images of results, by path."""
    images = (ROOT / "experiments" / "results").glob("*.png")
    found: dict[str, str | bytes] = {
        f"project/{image.name}": image.read_bytes() for image in images
    }
    for page, document in PAGES.items():
        at = functools.partial(_on_site, posixpath.dirname(document))
        found[page] = LINK.sub(at, (ROOT / document).read_text())
    return found


def _on_site(folder: str, link: re.Match) -> str:
    """A link between documents as one between their pages."""
    target = posixpath.normpath(posixpath.join(folder, link[2]))
    if target.startswith("docs/"):
        return f"{link[1]}../{target.removeprefix('docs/')}{link[3]}"
    at = {document: page for page, document in PAGES.items()}.get(target)
    return f"{link[1]}{posixpath.basename(at)}{link[3]}" if at else link[0]
