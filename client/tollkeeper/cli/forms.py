"""An answer in the form that was asked for: tables for people, JSON, CSV or Markdown."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, UsageError, print_raw
from tollkeeper.cli.whole import whole_report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from tollkeeper.cli.rows import Cell
    from tollkeeper.cli.table import Column, Row

    Answer = dict[str, Any]

FORMS = ("csv", "markdown")


class Table:
    """A table, what is said above it, and what below."""

    def __init__(
        self, columns: list[Column], rows: list[Row], above: str = "", below: Sequence[str] = ()
    ) -> None:
        self.columns = columns
        self.rows = rows
        self.above = above
        self.below = below


def form_options(parser: ArgumentParser) -> None:
    """``--format``."""
    parser.add_argument(
        "-f",
        "--format",
        choices=FORMS,
        help="csv, every figure as a program wants it; markdown, the tables for a mail or a chat",
    )


def ask_and_show(
    ask: Ask,
    options: Namespace,
    method: str,
    params: dict[str, Any],
    show: Callable[[Answer, str | None], None],
) -> None:
    """Ask, and show the answer in the form that was asked for; JSON is printed as it comes."""
    if ask.as_json and options.format:
        raise UsageError(f"--json and --format {options.format} exclude each other")
    answer = whole_report(ask, method, params)
    if ask.as_json:
        print_raw(answer)
    else:
        show(json.loads(answer), options.format)


def print_csv(columns: Sequence[str], records: Iterable[Answer]) -> None:
    """A line for each record; a column's name is the path to its figure, such as ``cost_usd.median``."""
    from tollkeeper.cli.formats import Csv
    from tollkeeper.cli.output import output_to

    writer = Csv([column.replace(".", "_") for column in columns])
    with output_to(None) as file:
        file.write(writer.head())
        file.write(writer.rows([_cell(record, column) for column in columns] for record in records))
        file.write(writer.tail())


def _cell(record: Answer, column: str) -> Cell:
    from tollkeeper.cli.rows import amount, nano_of

    value: Any = record
    for part in column.split("."):
        value = None if value is None else value[part]
    match value:
        case [*names]:
            return ", ".join(map(str, names))
        case float() if "_usd" in column and "percent" not in column:
            return amount(nano_of(value))
        case float():
            return str(value)
        case _:
            return value


def print_tables(tables: Sequence[Table], form: str | None) -> None:
    """Print the tables, one below the other."""
    for at, table in enumerate(tables):
        if at:
            print()
        _print_markdown(table) if form == "markdown" else _print(table)


def _print_markdown(table: Table) -> None:
    from tollkeeper.cli.markdown import lay_out, safe

    if table.above:
        print(f"**{safe(table.above)}**\n")
    print(lay_out(table.columns, [row.cells for row in table.rows]))
    for line in table.below:
        print(f"\n{safe(line)}")


def _print(table: Table) -> None:
    from textwrap import wrap

    from tollkeeper.cli import terminal
    from tollkeeper.cli.report import print_lines
    from tollkeeper.cli.table import lay_out

    width = terminal.width()
    if table.above:
        print_lines((line, "bold") for line in wrap(table.above, width))
    print_lines(lay_out(table.columns, table.rows, width))
    for line in table.below:
        print_lines((part, "") for part in wrap(line, width))
