"""How what pieces of work took is shown: for each stage or path a line per measure, with its quartiles."""

from __future__ import annotations

from tollkeeper.cli import words
from tollkeeper.cli.forms import Table
from tollkeeper.cli.table import Column, Row
from tollkeeper.cli.workflow_words import MEASURES, amount, name, percent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tollkeeper.cli.workflow_words import Figures

PLACES = {
    "min": "Least",
    "lower_quartile": "25 %",
    "median": "Median",
    "upper_quartile": "75 %",
    "max": "Most",
    "total": "Total",
}
# What a narrow terminal does without first; of stages the total says least.
STAGE_DROPS = {"total": 3, "min": 2, "max": 2, "lower_quartile": 1, "upper_quartile": 1}
PATH_DROPS = {"min": 3, "max": 3, "lower_quartile": 2, "upper_quartile": 2, "total": 1}
COLUMNS = tuple(f"{key}.{place}" for key in MEASURES for place in ("count", *PLACES))


def stages_table(stages: list[Figures]) -> Table:
    """The stages, and how what they took spreads over the workflows."""
    heads = [Column("Stage", cut=1, least=9), Column("Count", right=True)]
    rows = [
        row
        for stage in stages
        for row in _rows([name(stage, "stage"), f"{stage['workflows']:,}"], stage, _keys(stages))
    ]
    return Table([*heads, *_columns(STAGE_DROPS)], rows)


def paths_table(paths: list[Figures]) -> Table:
    """The paths, how often they failed, and how what they took spreads over the workflows."""
    heads = [
        Column("Path", cut=1, least=10),
        Column("Count", right=True),
        Column("Failed", right=True),
    ]
    rows = [
        row
        for path in paths
        for row in _rows(
            [name(path, "path"), f"{path['workflows']:,}", _failed(path)], path, _keys(paths)
        )
    ]
    return Table([*heads, *_columns(PATH_DROPS)], rows)


def models_table(lines: list[Figures]) -> Table:
    """The models of each stage, the cheapest first, and how what it took spreads over the workflows."""
    heads = [
        Column("Stage", cut=1, least=9),
        Column("Model", cut=2, least=10),
        Column("Count", right=True),
    ]
    rows = [
        row
        for line in lines
        for row in _rows(
            [name(line, "stage"), words.model_name(line["model"]), f"{line['workflows']:,}"],
            line,
            _keys(lines),
        )
    ]
    return Table([*heads, *_columns(STAGE_DROPS)], rows)


def nothing(since: str | None, stage: str | None = None) -> str:
    """What to say when there is nothing to show."""
    what = "any workflow" if stage is None else f"a stage {words.plain(stage)!r} of any workflow"
    return f"Nothing is known of {what}{f' since {since}' if since else ''}."


def _columns(drops: dict[str, int]) -> list[Column]:
    figures = (Column(head, right=True, drop=drops.get(place, 0)) for place, head in PLACES.items())
    return [Column(""), *figures]


def _failed(path: Figures) -> str:
    return "" if path["failed_share"] is None else percent(path["failed_share"])


def _keys(lines: list[Figures]) -> list[str]:
    """The keys of those measures that say anything: no list price that is just what is billed."""
    spreads = [{key: line[key] for key in MEASURES} for line in lines]
    billed = any(each["cost_usd"]["total"] for each in spreads)
    keys = ["total_tokens"]
    if any(each["duration_seconds"] for each in spreads):
        keys.append("duration_seconds")
    if any(each["value_usd"] != each["cost_usd"] for each in spreads):
        keys.insert(0, "value_usd")
    return ["cost_usd", *keys] if billed else keys


def _rows(labels: list[str], line: dict[str, Any], keys: list[str]) -> list[Row]:
    return [
        Row(
            [
                *([""] * len(labels) if at else labels),
                MEASURES[key],
                *(amount(key, line[key] and line[key][place]) for place in PLACES),
            ]
        )
        for at, key in enumerate(keys)
    ]
