"""A report as a table in Markdown that can be read as it is: in a mail, in a chat."""

from typing import Any

from tollkeeper.cli.markdown import lay_out
from tollkeeper.cli.table import Column
from tollkeeper.cli.words import model_name, money

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
    columns = [Column(head), *(Column(name, right=True) for name in HEAD)]
    return lay_out(columns, [[name, *_figures(row)] for name, row in lines])


def _figures(row: Row) -> list[str]:
    guessed = row["unpricedRequests"] > 0
    dollars = [money(row[key], guessed) for key in ("costUSD", "valueUSD")]
    return [f"{row['requests']:,}", f"{row['totalTokens']:,}", *dollars]
