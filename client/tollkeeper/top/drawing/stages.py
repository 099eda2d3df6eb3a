"""The stages of a workflow: what each took of tokens, money and time. Pure."""

from datetime import tzinfo
from typing import Any

from rich.text import Text

from tollkeeper.cli import words
from tollkeeper.cli.report import BAR
from tollkeeper.cli.table import Column, Row, bar, lay_out
from tollkeeper.cli.workflow_words import money, name, names, percent, time
from tollkeeper.top.drawing.workflows import moment, status

Figures = dict[str, Any]


def heading(shown: Figures, zone: tzinfo | None, width: int) -> list[Text]:
    """What the workflow is called and how it stands, and what the cache was worth."""
    began, ended = moment(shown["started_at"], zone), moment(shown["ended_at"], zone)
    span = f"{began} to {ended}" if began and ended else f"since {began}" if began else ""
    told = ", ".join(filter(None, (words.plain(shown["path"] or ""), status(shown), span)))
    title = Text(name(shown, "workflow"), style="bold").append(f"   {told}", style="not bold")
    lines = [title, Text(_cache(shown["totals"]), style="dim")]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def table_lines(shown: Figures, width: int) -> list[Text]:
    """A line for each stage, the heads first, what they come to last."""
    columns = [
        Column("Stage", cut=1, least=9),
        Column("Role", cut=3, least=8, drop=4),
        Column("Model", cut=4, least=8, drop=5),
        Column("Input", right=True),
        Column("Output", right=True),
        Column("Cache", right=True),
        Column("Hits", right=True),
        Column("Billed", right=True, drop=3),
        Column("List price", right=True),
        Column("Share", right=True),
        Column("Duration", right=True),
        Column("Runs", right=True, drop=6),
        Column("Status", drop=2),
        Column("", drop=7),
    ]
    rows = [Row(_cells(name(stage, "stage"), stage)) for stage in shown["stages"]]
    rows.append(Row(_cells("Total", shown["totals"]), "bold"))
    return [Text(line, style=style) for line, style in lay_out(columns, rows, width)]


def _cells(label: str, stage: Figures) -> list[str]:
    rate = stage["cache_hit_rate"]
    cached = sum(stage[f"cache_{kind}_tokens"] for kind in ("read", "write_5m", "write_1h"))
    return [
        label,
        names(stage.get("roles", ())),
        ", ".join(map(words.model_name, stage.get("models", ()))),
        words.tokens(stage["input_tokens"]),
        words.tokens(stage["output_tokens"]),
        words.tokens(cached),
        "" if rate is None else percent(rate),
        money(stage, "cost_usd"),
        money(stage, "value_usd"),
        percent(stage["share"]),
        time(stage["duration_seconds"]),
        f"{stage['runs']:,}" if stage["runs"] else "",
        status(stage),
        bar(stage["share"], BAR),
    ]


def _cache(totals: Figures) -> str:
    """How much of the input the cache had, and what that saved."""
    rate, saved = totals["cache_hit_rate"], totals["cache_saved_usd"]
    if rate is None:
        return "Nothing was sent yet."
    told = f"{percent(rate)} of all input came from the cache"
    if saved is None:
        return f"{told}."
    if saved < 0:
        return f"{told}; writing it cost {words.money(-saved)} more than that saved."
    return f"{told}, which saved {words.money(saved)} at list price."
