"""Tables of reports: the daemon's JSON in, something rich can print out. Pure."""

from typing import Any

from rich.table import Table

from tollkeeper.cli import words

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
        table.add_column(head, "" if index else "Total", no_wrap=True, overflow="ellipsis")
    if wide:
        table.add_column("Models", overflow="fold")
        for head, key in COLUMNS:
            table.add_column(head, f"{totals[key]:,}", justify="right")
    table.add_column("Tokens", _count(totals["totalTokens"], wide), justify="right")
    table.add_column("Billed", _money(totals, "costUSD"), justify="right")
    table.add_column("List price", _money(totals, "valueUSD"), justify="right")
    for cells, row in rows:
        split = [f"{row[key]:,}" for _, key in COLUMNS]
        models = ", ".join(words.model_name(name) for name in row["modelsUsed"])
        table.add_row(
            *cells,
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
