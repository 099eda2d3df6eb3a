"""A report as a table in Markdown that can be read as it is: in a mail, in a chat."""

from html import escape
from typing import Any

from tollkeeper.cli.words import model_name, money, plain

HEAD = ("Requests", "Tokens", "Billed", "List price")
NOTHING = "Nothing was used."
UNKNOWN = "–"

Row = dict[str, Any]
"""A line of a report, as in its JSON."""


def table(title: str, row: Row | None) -> str:
    """What this line comes to, by model and in all, and below it by agent when it is split so."""
    if row is None:
        return f"**{title}**\n\n{NOTHING}\n"
    models = [(model_name(each["modelName"]), each) for each in row["modelBreakdowns"]]
    parts = [f"**{title}**", _lay_out("Model", [*models, ("Total", row)])]
    if agents := [(each["by"]["agent"] or UNKNOWN, each) for each in row.get("breakdown", ())]:
        parts.append(_lay_out("Agent", agents))
    return "\n\n".join(parts) + "\n"


def _lay_out(head: str, lines: list[tuple[str, Row]]) -> str:
    cells = [[head, *HEAD], *([_safe(name), *_figures(row)] for name, row in lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    first, *rest = ([line[0].ljust(widths[0]), *_right(line[1:], widths[1:])] for line in cells)
    return "\n".join(f"| {' | '.join(line)} |" for line in (first, rule, *rest))


def _right(cells: list[str], widths: list[int]) -> list[str]:
    return [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]


def _figures(row: Row) -> list[str]:
    guessed = row["unpricedRequests"] > 0
    dollars = [money(row[key], guessed) for key in ("costUSD", "valueUSD")]
    return [f"{row['requests']:,}", f"{row['totalTokens']:,}", *dollars]


def _safe(name: str) -> str:
    """Words of others as mere text: they are no markup, and call nobody in a chat."""
    return escape(plain(name), quote=False).replace("|", "\\|").replace("`", "'")
