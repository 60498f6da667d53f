"""Scripts of docs/examples, run, as pages with what they print and draw.

A script is in the form of those of keras.io: strings that stand by themselves
are Markdown, and what is between them is a cell. A page shows each cell, its
output and its figures.

    python docs/building/examples.py SCRIPT    # prints the page

With SHORT_EXAMPLES=1 in the environment no stage has more than two epochs: all
is run as it is written, but for what it would learn.
"""

import ast
import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "examples"
SHORT = "SHORT_EXAMPLES"
EPOCHS = re.compile(r'("epochs": |EPOCHS = |", )(\([\d, ]+\)|\d+)')
HEADER = re.compile(r"Title: (.*)\nAuthor: (.*)\n(?:.*\n)*?Accelerator: (.*)\n")


def cells(source: str) -> Iterator[tuple[str, str]]:
    """Parts of a script in their order: "text" or "code", and what it says."""
    lines, begin = source.splitlines(), 0
    for node in ast.parse(source).body:
        value = getattr(node, "value", None)
        if isinstance(node, ast.Expr) and isinstance(value, ast.Constant):
            yield "code", "\n".join(lines[begin : node.lineno - 1]).strip()
            yield "text", str(value.value).strip()
            begin = node.end_lineno or begin
    yield "code", "\n".join(lines[begin:]).strip()


def played(path: pathlib.Path) -> list[dict]:
    """Run a script in this process; its cells with their output."""
    import matplotlib

    matplotlib.use("svg")
    names, found = {"__name__": "__main__"}, []
    for kind, text in cells(path.read_text()):
        out = io.StringIO()
        if kind == "code" and text:
            with contextlib.redirect_stdout(out):
                exec(compile(_as_asked(text), str(path), "exec"), names)
        cell = {"kind": kind, "text": text, "out": out.getvalue()}
        found.append({**cell, "figures": _figures()})
    left = map(_left, pathlib.Path().glob("*.html"))
    return [cell for cell in found if cell["text"]] + [*left]


def _as_asked(code: str) -> str:
    """Code with its epochs, or with two at most."""
    if not os.environ.get(SHORT):
        return code

    def fewer(found: re.Match) -> str:
        numbers = re.sub(r"\d+", lambda n: str(min(int(n[0]), 2)), found[2])
        return found[1] + numbers

    return EPOCHS.sub(fewer, code)


def _left(path: pathlib.Path) -> dict:
    """A page that a script wrote, as a cell that links to it."""
    text = f"[{path.name}]({path.name}), which the code above wrote."
    cell = {"kind": "text", "text": text, "out": "", "figures": []}
    return {**cell, "file": {path.name: path.read_text()}}


def _figures() -> list[str]:
    from matplotlib import pyplot

    texts = []
    for number in pyplot.get_fignums():
        text = io.StringIO()
        pyplot.figure(number).savefig(text, format="svg", bbox_inches="tight")
        texts.append(text.getvalue())
    pyplot.close("all")
    return texts


def page(name: str, found: list[dict]) -> tuple[str, dict[str, str]]:
    """Markdown of a script that was run, and what it drew and wrote."""
    parts, figures = [], {}
    for cell in found:
        figures |= cell.get("file", {})
        if cell["kind"] == "text":
            parts.append(HEADER.sub(_heading, cell["text"] + "\n"))
        else:
            parts.append(f"```python\n{cell['text']}\n```")
        if cell["out"].strip():
            parts.append(f"```text\n{cell['out'].rstrip()}\n```")
        for svg in cell["figures"]:
            figures[figure := f"{name}-{len(figures)}.svg"] = svg
            parts.append(f"![Figure that the code above draws]({figure})")
    parts.append(f"[The script]({name}.py) of this page.")
    return "\n\n".join(parts), figures


def _heading(header: re.Match) -> str:
    title, author, accelerator = header.groups()
    return f"# {title}\n\n*By {author}. Accelerator: {accelerator}.*\n"


def run(name: str, source: str) -> list[dict]:
    """Cells of a script, run in a process and a folder of its own.

    What was run is kept in build/, until the script or the package changes.
    """
    kept = ROOT / "build" / "examples" / f"{name}-{_key(source)}.json"
    if not kept.exists():
        cells = _run(name)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(cells))
    return json.loads(kept.read_text())


def _key(source: str) -> str:
    files = sorted((ROOT / "keras_lt").rglob("*.py"))
    texts = [os.environ.get(name, "") for name in ("KERAS_BACKEND", SHORT)]
    texts.append(source)
    texts += [file.read_text() for file in files]
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]


def _run(name: str) -> list[dict]:
    here = str(pathlib.Path(__file__).resolve())
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, here, str(FOLDER / f"{name}.py"), "--json"],
            cwd=folder,
            env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(f"docs/examples/{name}.py: {done.stderr}")
    return json.loads(done.stdout)


def names() -> list[str]:
    """Paths of the pages."""
    return [f"examples/{path.stem}.md" for path in sorted(FOLDER.glob("*.py"))]


def pages() -> Iterator[tuple[str, str]]:
    """Path and content of each page, and of each figure."""
    for path in sorted(FOLDER.glob("*.py")):
        text, figures = page(path.stem, run(path.stem, path.read_text()))
        yield f"examples/{path.stem}.md", text
        for name, svg in figures.items():
            yield f"examples/{name}", svg


if __name__ == "__main__":
    script = pathlib.Path(sys.argv[1])
    result = played(script)
    json.dump(result, sys.stdout) if sys.argv[2:] else print(
        page(script.stem, result)[0]
    )
