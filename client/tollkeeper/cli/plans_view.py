"""How plans are shown."""

from __future__ import annotations

from tollkeeper.cli import terminal, words
from tollkeeper.cli.table import Column, Row, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def print_plans(plans: list[dict[str, Any]]) -> None:
    """A line each; ``~`` marks terms that are no more than a guess."""
    columns = [
        Column("Plan"),
        Column("Title", cut=2),
        Column("A month", right=True),
        Column("Messages", right=True),
        Column("Opus", right=True),
        Column("Models", cut=1),
        Column(""),
    ]
    colours = terminal.shows_colours()
    for text, style in lay_out(columns, [_row(plan) for plan in plans], terminal.width()):
        print(terminal.styled(text, style) if colours else text)


def _row(plan: dict[str, Any]) -> Row:
    mark = "~" if plan["approximate"] else ""
    return Row(
        [
            plan["name"],
            words.plain(plan["title"]),
            words.money(plan["monthly_price_usd"]),
            _count(plan["approximate_messages"], "~"),
            _count(plan["opus_limit"], mark),
            words.plain(", ".join(words.model_name(model) for model in plan["models"])),
            "own" if plan["whose"] == "own" else "",
        ]
    )


def _count(count: int | None, mark: str) -> str:
    return "" if count is None else f"{mark}{count:,}"
