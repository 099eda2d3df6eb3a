"""How the dearest workflows, stages and roles are shown: a table of each."""

from __future__ import annotations

from tollkeeper.cli import words
from tollkeeper.cli.forms import Table
from tollkeeper.cli.report import BAR
from tollkeeper.cli.table import Column, Row, bar
from tollkeeper.cli.workflow_words import counted, money, name, percent, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tollkeeper.cli.workflow_words import Figures

COLUMNS = (
    "kind",
    "name",
    "path",
    "status",
    "started_at",
    "ended_at",
    "requests",
    "total_tokens",
    "cost_usd",
    "value_usd",
    "unpriced_requests",
    "duration_seconds",
    "share",
)
KINDS = {"workflow": "workflows", "stage": "stages", "role": "roles"}
UNKNOWN = dict.fromkeys(("path", "status", "started_at", "ended_at"))
BY = {
    "cost": "By what is billed",
    "value": "By list price",
    "tokens": "By tokens",
    "duration": "By time",
}


def records(answer: Figures) -> list[Figures]:
    """A record for each workflow, stage and role, under ``COLUMNS``."""
    return [
        {**UNKNOWN, **each, "kind": kind, "name": each[kind]}
        for kind, several in KINDS.items()
        for each in answer[several]
    ]


def tables(answer: Figures, form: str | None = None) -> list[Table]:
    """A table of the workflows, with what all come to above it, one of the stages, one of the roles.

    Bars are for terminals: elsewhere the letters have other widths.
    """
    bars = form is None
    return [
        Table(
            _columns(kind, bars),
            [_row(kind, each, bars) for each in answer[several]],
            "" if at else _above(answer),
        )
        for at, (kind, several) in enumerate(KINDS.items())
        if answer[several]
    ]


def nothing(answer: Figures) -> str:
    """What to say when there is nothing to show."""
    since = f" since {answer['since']}" if answer["since"] else ""
    if answer["totals"]["workflows"] and answer["by"] == "cost":
        return f"Nothing of any workflow was billed{since}. See: toll workflow top --by value"
    return f"Nothing is known of any workflow{since}."


def _above(answer: Figures) -> str:
    totals = answer["totals"]
    since = f" since {answer['since']}" if answer["since"] else ""
    is_all_named = all(each["workflow"] for each in answer["workflows"])
    more = "" if is_all_named else " and what is of none"
    return (
        f"{counted(answer)}{more}{since}: {money(totals, 'cost_usd')} billed, "
        f"{money(totals, 'value_usd')} list price, {words.tokens(totals['total_tokens'])} tokens. "
        f"{BY[answer['by']]}:"
    )


def _columns(kind: str, bars: bool) -> list[Column]:
    more = [Column("Path", cut=2, drop=4), Column("Status", drop=5)] if kind == "workflow" else []
    return [
        Column(kind.capitalize(), cut=1, least=12),
        *more,
        Column("Requests", right=True, drop=3),
        Column("Tokens", right=True),
        Column("Billed", right=True, drop=1),
        Column("List price", right=True),
        Column("Duration", right=True, drop=2),
        Column("Share", right=True),
        *([Column("", drop=6)] if bars else []),
    ]


def _row(kind: str, each: Figures, bars: bool) -> Row:
    more = [words.plain(each[key] or "") for key in ("path", "status") if kind == "workflow"]
    return Row(
        [
            name(each, kind),
            *more,
            f"{each['requests']:,}",
            f"{each['total_tokens']:,}",
            money(each, "cost_usd"),
            money(each, "value_usd"),
            time(each["duration_seconds"]),
            percent(each["share"]),
            *([bar(each["share"], BAR)] if bars else []),
        ]
    )
