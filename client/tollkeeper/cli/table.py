"""Aligned tables of plain text. Pure, and quick to load: reports print thousands of lines with it."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

GAP = "  "
LEAST = 6


class Column:
    """A column: its head, whether figures stand right in it, and how it gives way in a narrow place.

    Of the columns with a ``cut`` those with the highest are cut short first, down to ``least``
    cells; then those with the highest ``drop`` are left out; those with 0 never.
    """

    def __init__(
        self, head: str, right: bool = False, cut: int = 0, least: int = LEAST, drop: int = 0
    ) -> None:
        self.head = head
        self.right = right
        self.cut = cut
        self.least = least
        self.drop = drop


class Row:
    """A line of cells; ``style`` is one of the terminal's, or none."""

    def __init__(self, cells: list[str], style: str = "") -> None:
        self.cells = cells
        self.style = style


def lay_out(columns: list[Column], rows: list[Row], width: int) -> list[tuple[str, str]]:
    """The lines of the table, each with its style, none wider than there is room."""
    lines = [Row([column.head for column in columns], "bold"), *rows]
    widths = _widths(lines)
    kept = _kept(columns, widths, width)
    _cut([columns[at] for at in kept], widths, kept, width)
    rooms = [(at, widths[at], columns[at].right) for at in kept]
    return [(_line(row.cells, rooms)[:width], row.style) for row in lines]


def width_of(columns: list[Column], rows: list[Row]) -> int:
    """How wide the table is when nothing gives way."""
    return _over(_widths([Row([column.head for column in columns]), *rows]), 0)


def _widths(lines: list[Row]) -> list[int]:
    columns = zip(*(row.cells for row in lines), strict=True)
    return [max(map(len if "".join(texts).isascii() else cells, texts)) for texts in columns]


def _kept(columns: list[Column], widths: list[int], width: int) -> list[int]:
    """The columns that there is room for when each is cut as far as it may be."""
    kept = list(range(len(columns)))
    least = [
        min(room, column.least) if column.cut else room
        for column, room in zip(columns, widths, strict=True)
    ]
    while _over([least[at] for at in kept], width) > 0:
        level = max(columns[at].drop for at in kept)
        if not level:
            break
        kept = [at for at in kept if columns[at].drop != level]
    return kept


def _over(widths: list[int], width: int) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1) - width


def _cut(columns: list[Column], widths: list[int], kept: list[int], width: int) -> None:
    """Take what is too much from the widest of those columns that give way first."""
    over = _over([widths[at] for at in kept], width)
    for least in ("least", "nothing"):
        while over > 0:
            able = [
                (column.cut, widths[at], at)
                for column, at in zip(columns, kept, strict=True)
                if column.cut and widths[at] > (column.least if least == "least" else 1)
            ]
            if not able:
                break
            widths[max(able)[2]] -= 1
            over -= 1


def _line(texts: list[str], rooms: list[tuple[int, int, bool]]) -> str:
    parts: list[str] = []
    for at, room, right in rooms:
        text = texts[at]
        size = len(text) if text.isascii() else cells(text)
        if size > room:
            text = fit(text, room)
            size = cells(text)
        filler = " " * (room - size)
        parts.append(filler + text if right else text + filler)
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
    """The text, cut short with an ellipsis where it is longer than the room; a path keeps its end."""
    if cells(text) <= room:
        return text
    head, slash, path = text.partition("/")
    if slash and not head.strip("└ ") and cells(head) < room - 1:
        return f"{head}…{_last_cells(slash + path, room - cells(head) - 1)}"
    return f"{_first_cells(text, room - 1)}…"


def _first_cells(text: str, room: int) -> str:
    kept, used = "", 0
    for letter in text:
        used += _cells_of(letter)
        if used > room:
            break
        kept += letter
    return kept


def _last_cells(text: str, room: int) -> str:
    kept, used = "", 0
    for letter in reversed(text):
        used += _cells_of(letter)
        if used > room:
            break
        kept = letter + kept
    return kept


def bar(share: float, room: int) -> str:
    """A bar that fills this share (0 to 1) of the room, to the eighth of a cell."""
    eighths = round(max(0.0, min(share, 1.0)) * room * 8)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
