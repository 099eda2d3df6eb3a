"""The files that an export writes: CSV, JSON and a JSON object a line. Rows in, bytes out; pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

import msgspec

from tollkeeper.cli.rows import Cell, Dollars, Row

# What a spreadsheet takes for a formula, and would compute, or even run.
FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


class Csv:
    """A line of names, then a line per row (RFC 4180).

    Text that begins like a formula gets a ``'`` before it.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns

    def head(self) -> bytes:
        return _lines([self._columns])

    def rows(self, rows: Iterable[Row]) -> bytes:
        """These rows; they may come in any number of calls."""
        return _lines([_shown(cell) for cell in row] for row in rows)

    def tail(self) -> bytes:
        return b""


class Ndjson:
    """A JSON object per row, each on a line of its own."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns

    def head(self) -> bytes:
        return b""

    def rows(self, rows: Iterable[Row]) -> bytes:
        """These rows; they may come in any number of calls."""
        return b"".join(_object(self._columns, row) + b"\n" for row in rows)

    def tail(self) -> bytes:
        return b""


class Json:
    """One array of an object per row, valid when its tail is written."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._before = b"\n"

    def head(self) -> bytes:
        return b"["

    def rows(self, rows: Iterable[Row]) -> bytes:
        """These rows; they may come in any number of calls."""
        written = b",\n".join(_object(self._columns, row) for row in rows)
        if not written:
            return b""
        before, self._before = self._before, b",\n"
        return before + written

    def tail(self) -> bytes:
        return b"\n]\n"


Format = Csv | Json | Ndjson
FORMATS: dict[str, type[Format]] = {"csv": Csv, "json": Json, "ndjson": Ndjson}

_encode = msgspec.json.Encoder().encode


def _lines(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _shown(cell: Cell) -> object:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str) and not isinstance(cell, Dollars):
        return defused(cell)
    return cell


def defused(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def _object(columns: Sequence[str], row: Row) -> bytes:
    values = (msgspec.Raw(cell.encode()) if isinstance(cell, Dollars) else cell for cell in row)
    return _encode(dict(zip(columns, values, strict=True)))
