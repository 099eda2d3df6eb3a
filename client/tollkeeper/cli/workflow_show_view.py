"""How a workflow is shown: a line per stage, and what they come to."""

from __future__ import annotations

from datetime import datetime

from tollkeeper.cli import terminal, words
from tollkeeper.cli.forms import Table
from tollkeeper.cli.report import WIDE
from tollkeeper.cli.table import Column, Row
from tollkeeper.cli.workflow_words import money, name, names, percent, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tollkeeper.cli.workflow_words import Figures

COLUMNS = (
    "workflow",
    "stage",
    "tasks",
    "roles",
    "models",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "total_tokens",
    "requests",
    "messages",
    "cost_usd",
    "value_usd",
    "unpriced_requests",
    "cache_hit_rate",
    "cache_saved_usd",
    "duration_seconds",
    "worked_seconds",
    "waited_seconds",
    "held_seconds",
    "share",
    "runs",
    "status",
)


def records(answer: Figures) -> list[Figures]:
    """The stages as they stand in a file, under ``COLUMNS``."""
    return [{"workflow": answer["workflow"], **stage} for stage in answer["stages"]]


def table(answer: Figures, form: str | None = None) -> Table:
    """The stages with their totals; a narrow terminal gets all tokens in one column."""
    wide = form == "markdown" or terminal.width() >= WIDE
    tokens = (
        [
            Column("Input", right=True),
            Column("Output", right=True),
            Column("Cache read", right=True),
            Column("Cache write", right=True),
            Column("Requests", right=True, drop=3),
        ]
        if wide
        else [Column("Tokens", right=True)]
    )
    columns = [
        Column("Stage", cut=1, least=9),
        Column("Task", cut=4, least=8, drop=8),
        Column("Role", cut=3, least=8, drop=4),
        Column("Model", cut=4, least=8, drop=6),
        *tokens,
        Column("Billed", right=True),
        Column("List price", right=True, drop=1),
        Column("Share", right=True),
        Column("Duration", right=True),
        Column("Worked", right=True, drop=7),
        Column("Waited", right=True, drop=7),
        Column("Held", right=True, drop=7),
        Column("Runs", right=True, drop=5),
        Column("Status", drop=2),
    ]
    rows = [Row(_cells(name(each, "stage"), each, wide)) for each in answer["stages"]]
    total = {**answer["totals"], "tasks": (), "roles": (), "models": ()}
    rows.append(Row(_cells("Total", total, wide), "bold"))
    return Table(columns, rows, heading(answer), [_cache(answer["totals"])])


def heading(answer: Figures) -> str:
    """What the workflow is called, and how it stands."""
    told = [answer["path"], answer["status"], _span(answer["started_at"], answer["ended_at"])]
    return f"{name(answer, 'workflow')}: {words.plain(', '.join(filter(None, told)))}".rstrip(": ")


def _span(started: str | None, ended: str | None) -> str:
    if not started:
        return ""
    began = _local(started)
    if not ended:
        return f"since {began:%Y-%m-%d %H:%M}"
    return f"{began:%Y-%m-%d %H:%M} to {_local(ended):%Y-%m-%d %H:%M}"


def _local(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone()


def _cells(label: str, line: Figures, wide: bool) -> list[str]:
    written = line["cache_write_5m_tokens"] + line["cache_write_1h_tokens"]
    tokens = (
        [
            f"{line['input_tokens']:,}",
            f"{line['output_tokens']:,}",
            f"{line['cache_read_tokens']:,}",
            f"{written:,}",
            f"{line['requests']:,}",
        ]
        if wide
        else [f"{line['total_tokens']:,}"]
    )
    return [
        label,
        names(line["tasks"]),
        names(line["roles"]),
        ", ".join(map(words.model_name, line["models"])),
        *tokens,
        money(line, "cost_usd"),
        money(line, "value_usd"),
        percent(line["share"]),
        *(time(line[f"{key}_seconds"]) for key in ("duration", "worked", "waited", "held")),
        f"{line['runs']:,}" if line["runs"] else "",
        words.plain(line["status"] or ""),
    ]


def _cache(totals: Figures) -> str:
    """How much of what was sent the cache had, and what that saved."""
    rate, saved = totals["cache_hit_rate"], totals["cache_saved_usd"]
    if rate is None:
        return "Nothing was sent yet."
    told = f"Cache: {percent(rate)} of all input was read from it"
    if saved is None:
        return f"{told}; what that saved is not known, since a model has no known price."
    if saved < 0:
        return f"{told}; writing it cost {words.money(-saved)} more than that saved, at list price."
    return f"{told}, which saved {words.money(saved)} at list price."
