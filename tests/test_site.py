"""The documentation is whole: it builds, and what it links to is there."""

import html.parser
import subprocess
import sys
import urllib.parse

import programs
import pytest

pytestmark = [pytest.mark.slow, programs.once("tensorflow")]


class Page(html.parser.HTMLParser):
    """Anchors of a page, where it links to, and what it loads."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loads = {""}, set(), set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if key in found}
        if tag == "a" and "href" in found:
            self.links.add(found["href"])
        loaded = tag == "link" and found.get("rel") != "canonical"
        key = "href" if loaded else "src"
        if (loaded or tag in ("img", "script")) and key in found:
            self.loads.add(found[key])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
        cwd=programs.ROOT,
        env=programs.environment(SHORT_EXAMPLES="1"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (folder / "404.html").unlink()  # whose links are those of a server
    return {path: Page(path) for path in folder.rglob("*.html")}


def outside(address):
    """Whether it is neither in the site nor, as `data:`, in the page."""
    parts = urllib.parse.urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def missing(path, address, pages):
    """Whether a page's address within the site leads nowhere."""
    there, _, anchor = address.partition("#")
    target = path
    if there:
        target = (path.parent / urllib.parse.unquote(there)).resolve()
    if anchor and target in pages:
        return urllib.parse.unquote(anchor) not in pages[target].anchors
    return not target.exists()


def test_links_lead_somewhere(site):
    broken = [
        (path.name, address)
        for path, page in site.items()
        for address in page.links | page.loads
        if not urllib.parse.urlsplit(address).scheme
        and missing(path, address, site)
    ]
    assert len(site) > 20 and not broken


def test_a_broken_link_would_be_found(tmp_path):
    path = tmp_path / "page.html"
    path.write_text('<h1 id="here"></h1>')
    pages = {path: Page(path)}
    assert not missing(path, "page.html#here", pages)
    assert missing(path, "page.html#there", pages)
    assert missing(path, "#there", pages)
    assert missing(path, "other.html", pages)


def test_what_is_outside():
    for address in ("https://a.b/c.png", "//a.b/c.png"):
        assert outside(address)
    for address in ("c.png", "../c.png#d", "data:image/png;base64,iVBO"):
        assert not outside(address)


def test_pages_load_nothing_from_a_network(site):
    for page in site.values():
        assert not [*filter(outside, page.loads)]


def test_every_public_name_has_its_place(site):
    sys.path.insert(0, str(programs.ROOT / "docs" / "building"))
    try:
        import reference
    finally:
        sys.path.pop(0)
    pages = {
        path.stem: page
        for path, page in site.items()
        if path.parent.name == "reference"
    }
    absent = [
        f"{part}.{name}"
        for part in reference.PARTS
        for name in reference.public(part)
        if f"keras_lt.{part}.{name}" not in pages[part].anchors
    ]
    assert not absent
