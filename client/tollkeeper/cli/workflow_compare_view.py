"""How workflows are compared: for each stage and measure a line, in it a column for each workflow."""

from __future__ import annotations

from tollkeeper.cli.forms import Table
from tollkeeper.cli.table import Column, Row
from tollkeeper.cli.workflow_words import MEASURES, amount, more, name, shown_measures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tollkeeper.cli.workflow_words import Figures

COLUMNS = (
    "stage",
    "workflow",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "total_tokens",
    "requests",
    "cost_usd",
    "value_usd",
    "unpriced_requests",
    "duration_seconds",
    "runs",
    "status",
    *(f"{kind}.{key}" for key in MEASURES for kind in ("difference", "difference_percent")),
)


def records(answer: Figures) -> list[Figures]:
    """A record for each workflow at each stage, under ``COLUMNS``."""
    return [
        {**cell, "workflow": workflow["workflow"]}
        for stage in answer["stages"]
        for workflow, cell in zip(answer["workflows"], stage["cells"], strict=True)
    ]


def table(answer: Figures) -> Table:
    """The stages one below the other, the workflows side by side."""
    columns = [Column("Stage", cut=1, least=8), Column("")]
    for at, workflow in enumerate(answer["workflows"]):
        columns.append(Column(name(workflow, "workflow"), right=True, cut=2, least=11))
        if at:
            columns.append(Column("more", right=True, drop=2))
            columns.append(Column("%", right=True, drop=1))
    keys = shown_measures(answer["totals"])
    rows: list[Row] = []
    for stage in answer["stages"]:
        rows += _rows(name(stage, "stage"), stage["cells"], keys, "")
    rows += _rows("Total", answer["totals"], keys, "bold")
    return Table(columns, rows)


def _rows(label: str, cells: list[Figures], keys: list[str], style: str) -> list[Row]:
    return [
        Row(["" if at else label, MEASURES[key], *_amounts(cells, key)], style)
        for at, key in enumerate(keys)
    ]


def _amounts(cells: list[Figures], key: str) -> list[str]:
    told: list[str] = []
    for at, cell in enumerate(cells):
        told.append(amount(key, cell[key], cell["unpriced_requests"] > 0))
        if at:
            told.append(more(key, cell["difference"][key]))
            share = cell["difference_percent"][key]
            told.append("" if share is None else _percent(share))
    return told


def _percent(share: float) -> str:
    return f"{share:+,.0f}" if abs(share) >= 0.5 else "0"
