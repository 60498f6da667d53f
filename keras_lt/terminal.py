"""Tables for people, by rich: drawn on a terminal, plain text elsewhere."""

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

WIDE = 10_000  # columns of what is no terminal: nothing is cut or wrapped


def print_table(
    title: str,
    columns: Iterable[str],
    rows: Iterable[tuple[str, Sequence[str]]],
    *,
    noted: bool = False,
) -> None:
    """Print a table on standard output.

    Args:
        title: Of the column of names.
        columns: Titles of the others, whose cells stand right.
        rows: A name and its cells each.
        noted: Whether the last column has words, which stand left.
    """
    terminal = sys.stdout.isatty()
    console = Console(
        file=sys.stdout,
        width=None if terminal else WIDE,
        markup=False,  # names of classes and folders are not ours
        highlight=False,
        emoji=False,
    )
    table = Table(
        title,
        box=box.SIMPLE_HEAD if terminal else None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    titles = [*columns]
    for number, each in enumerate(titles, 1):
        left = noted and number == len(titles)
        table.add_column(each, justify="left" if left else "right")
    for name, cells in rows:
        table.add_row(name, *cells)
    console.print(table)
    sys.stdout.flush()
