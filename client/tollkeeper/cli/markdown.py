"""Tables in Markdown that can be read as they are: in a mail, in a chat. Pure."""

from __future__ import annotations

from html import escape

from tollkeeper.cli.table import Column, cells
from tollkeeper.cli.words import plain


def lay_out(columns: list[Column], rows: list[list[str]]) -> str:
    """The table, with its columns in line; figures stand right."""
    lines = [[column.head for column in columns], *(list(map(safe, row)) for row in rows)]
    widths = [max(map(cells, texts)) for texts in zip(*lines, strict=True)]
    rule = [
        "-" * (width - 1) + ":" if column.right else "-" * width
        for column, width in zip(columns, widths, strict=True)
    ]
    head, *body = ([*map(_padded, line, widths, columns)] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *body))


def _padded(text: str, width: int, column: Column) -> str:
    filler = " " * (width - cells(text))
    return filler + text if column.right else text + filler


def safe(text: str) -> str:
    """Words of others as mere text: they are no markup, and call nobody in a chat."""
    return escape(plain(text), quote=False).replace("|", "\\|").replace("`", "'")
