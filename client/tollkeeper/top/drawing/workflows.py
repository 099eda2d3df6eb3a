"""Workflows in a table: what each came to, in the order that was chosen. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal, get_args

from rich.text import Text

from tollkeeper.cli import words
from tollkeeper.cli.report import BAR
from tollkeeper.cli.table import Column, Row, bar, lay_out
from tollkeeper.cli.workflow_words import counted, money, name, percent, time

Figures = dict[str, Any]
Rank = Literal["value", "cost", "tokens", "duration", "latest"]
RANKS: tuple[Rank, ...] = get_args(Rank)

CALLED: dict[Rank, str] = {
    "value": "by list price",
    "cost": "by what is billed",
    "tokens": "by tokens",
    "duration": "by time",
    "latest": "the latest first",
}
MARKS = {"running": "● ", "completed": "✓ ", "failed": "✕ "}
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


def rank_after(rank: Rank) -> Rank:
    """The order that follows this one."""
    return RANKS[(RANKS.index(rank) + 1) % len(RANKS)]


def ranked(workflows: Sequence[Figures], rank: Rank) -> list[Figures]:
    """As they came, which is the dearest first, or else the latest first; the last have no known start."""
    if rank != "latest":
        return [*workflows]
    return sorted(workflows, key=lambda each: each["started_at"] or BEFORE_ALL, reverse=True)


def heading(rank: Rank, top: Figures | None, width: int) -> Text:
    """In which order they are shown, and what all of them come to, once an answer came."""
    line = Text("WORKFLOWS", style="bold").append(f" {CALLED[rank]}")
    if top:
        totals = top["totals"]
        line.append(
            f"   {counted(top)}, "
            f"{money(totals, 'cost_usd')} billed, {money(totals, 'value_usd')} list price",
            style="not bold",
        )
    line.truncate(width, overflow="ellipsis")
    return line


def table_lines(workflows: Sequence[Figures], zone: tzinfo | None, width: int) -> list[Text]:
    """The table, its heads first; times are the zone's."""
    columns = [
        Column("Workflow", cut=1, least=12),
        Column("Path", cut=2, least=10, drop=4),
        Column("Status", drop=1),
        Column("Started", drop=5),
        Column("Requests", right=True, drop=6),
        Column("Tokens", right=True),
        Column("Billed", right=True, drop=2),
        Column("List price", right=True),
        Column("Duration", right=True, drop=3),
        Column("Share", right=True),
        Column("", drop=7),
    ]
    rows = [Row(_cells(each, zone)) for each in workflows]
    return [Text(line, style=style) for line, style in lay_out(columns, rows, width)]


def status(figures: Figures) -> str:
    """How it stands, with a mark for those who see no colour."""
    told = words.plain(figures["status"] or "")
    return f"{MARKS.get(told, '')}{told}"


def moment(when: datetime | None, zone: tzinfo | None) -> str:
    """A time to the minute; nothing where it is not known."""
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M}" if when else ""


def _cells(each: Figures, zone: tzinfo | None) -> list[str]:
    return [
        name(each, "workflow"),
        words.plain(each["path"] or ""),
        status(each),
        moment(each["started_at"], zone),
        f"{each['requests']:,}",
        words.tokens(each["total_tokens"]),
        money(each, "cost_usd"),
        money(each, "value_usd"),
        time(each["duration_seconds"]),
        percent(each["share"]),
        bar(each["share"], BAR),
    ]
