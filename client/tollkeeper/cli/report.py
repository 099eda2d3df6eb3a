"""Tables of reports: the daemon's JSON in, something rich can print out. Pure."""

from typing import Any

from rich.table import Table

from tollkeeper.cli import words
from tollkeeper.cli.screen import give_way

NARROW = 110

COLUMNS = (
    ("Input", "inputTokens"),
    ("Output", "outputTokens"),
    ("Cache write", "cacheCreationTokens"),
    ("Cache read", "cacheReadTokens"),
)


def report_table(
    rows: list[tuple[list[str], dict[str, Any]]],
    heads: list[str],
    totals: dict[str, Any],
    width: int,
) -> Table:
    """A line per row under these heads, models beside them, and the totals below."""
    wide = width >= NARROW
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_footer=True
    )
    for index, head in enumerate(heads):
        table.add_column(head, "" if index else "Total")
    figures = [
        ("Tokens", _count(totals["totalTokens"], wide)),
        ("Billed", _money(totals, "costUSD")),
        ("List price", _money(totals, "valueUSD")),
    ]
    if wide:
        table.add_column("Models", overflow="fold")
        figures = [*((head, f"{totals[key]:,}") for head, key in COLUMNS), *figures]
    for head, total in figures:
        table.add_column(head, total, justify="right", no_wrap=True)
    for cells, row in rows:
        split = [f"{row[key]:,}" for _, key in COLUMNS]
        models = ", ".join(words.model_name(name) for name in row["modelsUsed"])
        table.add_row(
            *map(give_way, cells),
            *([models, *split] if wide else []),
            _count(row["totalTokens"], wide),
            _money(row, "costUSD"),
            _money(row, "valueUSD"),
        )
    return table


def _count(tokens: int, wide: bool) -> str:
    return f"{tokens:,}" if wide else words.tokens(tokens)


def _money(row: dict[str, Any], key: str) -> str:
    return words.money(row[key], row["unpricedRequests"] > 0)
