"""Docstrings as the site shows them: sections of this house as paragraphs."""

import re
import textwrap
from typing import Any

import griffe

PARAGRAPHS = (
    *("Call arguments", "Inputs", "Returns", "Yields", "Raises", "See also"),
    *("Source", "Differs from the released code", "Ours", "Note"),
)
SECTION = re.compile(
    rf"^({'|'.join(PARAGRAPHS)}):[ \n]((?:.*\n)(?:[ ]+.*\n)*)", re.MULTILINE
)


class Sections(griffe.Extension):
    """Gives sections that Google's style does not have a form of their own."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of each object when it has been read."""
        if obj.docstring:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(text: str) -> str:
    """The docstring with its own sections as paragraphs."""
    text = re.sub(r"^Example:$", "Examples:", text + "\n", flags=re.MULTILINE)
    return SECTION.sub(_paragraph, text).rstrip()


def _paragraph(section: re.Match) -> str:
    first, *rest = section[2].splitlines()
    body = textwrap.dedent("\n".join(rest))
    return f"\n**{section[1]}.** {first.strip()}\n{body}\n\n"
