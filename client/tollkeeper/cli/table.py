"""Aligned tables of plain text. Pure, and quick to load: reports print thousands of lines with it."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

GAP = "  "
LEAST = 6


class Column:
    """A column: its head, whether figures stand right in it, and whether it gives way.

    Of the columns that may be cut short, those with the highest ``cut`` are, 0 never.
    """

    def __init__(self, head: str, right: bool = False, cut: int = 0) -> None:
        self.head = head
        self.right = right
        self.cut = cut


class Row:
    """A line of cells; ``style`` is one of the terminal's, or none."""

    def __init__(self, cells: list[str], style: str = "") -> None:
        self.cells = cells
        self.style = style


def lay_out(columns: list[Column], rows: list[Row], width: int) -> list[tuple[str, str]]:
    """The lines of the table, each with its style; cut columns give way to fit the width."""
    widths = _widths(columns, rows)
    lines = [Row([column.head for column in columns], "bold"), *rows]
    _narrow(columns, widths, width)
    return [(_line(columns, row.cells, widths), row.style) for row in lines]


def width_of(columns: list[Column], rows: list[Row]) -> int:
    """How wide the table is when nothing gives way."""
    return sum(_widths(columns, rows)) + len(GAP) * (len(columns) - 1)


def _widths(columns: list[Column], rows: list[Row]) -> list[int]:
    heads = [column.head for column in columns]
    lines = [heads, *(row.cells for row in rows)]
    return [max(map(cells, texts)) for texts in zip(*lines, strict=True)]


def _narrow(columns: list[Column], widths: list[int], width: int) -> None:
    """Take what is too much from the widest of those columns that give way first."""
    over = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while over > 0:
        able = [at for at, column in enumerate(columns) if column.cut and widths[at] > LEAST]
        if not able:
            return
        widths[max(able, key=lambda at: (columns[at].cut, widths[at]))] -= 1
        over -= 1


def _line(columns: list[Column], texts: list[str], widths: list[int]) -> str:
    parts: list[str] = []
    for column, text, room in zip(columns, texts, widths, strict=True):
        if (size := cells(text)) > room:
            text = fit(text, room)
            size = cells(text)
        filler = " " * (room - size)
        parts.append(filler + text if column.right else text + filler)
    return GAP.join(parts).rstrip()


def cells(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return len(text) if text.isascii() else _wide_cells(text)


@lru_cache(1000)  # Bars and dashes: few, and in every line.
def _wide_cells(text: str) -> int:
    return sum(_cells_of(letter) for letter in text)


def _cells_of(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def fit(text: str, room: int) -> str:
    """The text, cut short with an ellipsis where it is longer than the room."""
    if cells(text) <= room:
        return text
    kept, used = "", 0
    for letter in text:
        used += _cells_of(letter)
        if used > room - 1:
            break
        kept += letter
    return f"{kept}…"


def bar(share: float, room: int) -> str:
    """A bar that fills this share (0 to 1) of the room, to the eighth of a cell."""
    eighths = round(max(0.0, min(share, 1.0)) * room * 8)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
