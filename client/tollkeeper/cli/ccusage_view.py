"""ccusage's figures beside the ledger's, as lines; pure."""

from __future__ import annotations

from textwrap import wrap

from tollkeeper.cli import words
from tollkeeper.cli.table import Column, Row, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Found = dict[str, Any]

COLUMNS = [
    Column("Day"),
    Column("Model", cut=1, least=12),
    Column("ccusage", right=True),
    Column("tokens", right=True, drop=1),
    Column("Ledger", right=True),
    Column("tokens", right=True, drop=1),
    Column("Difference", right=True),
    Column("Cause", cut=2, least=12),
]
UNEXPLAINED = "unexplained"


def lines(found: Found, width: int, everything: bool = False) -> list[tuple[str, str]]:
    """A table of the days and models that differ, or of all, what the causes mean, and a summary."""
    rows = [
        _row(day["date"], model)
        for day in found["daily"]
        for model in day["models"]
        if everything or not model["agrees"]
    ]
    table = [*lay_out(COLUMNS, [*rows, _total(found)], width), ("", "")] if rows else []
    return [*table, *_causes(found, width), *((line, "") for line in wrap(_summary(found), width))]


def _row(date: str, model: Found) -> Row:
    theirs, ours = model["ccusage"], model["tollkeeper"]
    causes = [each["cause"] for each in model["causes"]]
    style = "dim" if model["agrees"] else "red" if UNEXPLAINED in causes else ""
    return Row(
        [date, words.model_name(model["modelName"]), *_figures(theirs, ours), ", ".join(causes)],
        style,
    )


def _total(found: Found) -> Row:
    totals = found["totals"]
    return Row(["Total", "", *_figures(totals["ccusage"], totals["tollkeeper"]), ""], "bold")


def _figures(theirs: Found, ours: Found) -> list[str]:
    apart = theirs["totalCost"] - ours["totalCost"]
    return [
        f"${theirs['totalCost']:,.4f}",
        f"{theirs['totalTokens']:,}",
        f"${ours['totalCost']:,.4f}",
        f"{ours['totalTokens']:,}",
        f"{'-' if apart < 0 else '+'}${abs(apart):,.4f}" if abs(apart) >= 0.00005 else "",
    ]


def _causes(found: Found, width: int) -> Iterator[tuple[str, str]]:
    """A line for each cause: what it means, how often it is true, and what it comes to."""
    told: dict[str, list[Found]] = {}
    for day in found["daily"]:
        for model in day["models"]:
            for cause in model["causes"]:
                told.setdefault(cause["cause"], []).append(cause)
    for name, causes in sorted(told.items()):
        text = f"{name}: {causes[0]['text']}"
        if count := sum(each["count"] for each in causes):
            text += f"; {count:,} {'time' if count == 1 else 'times'}"
        tokens = [each["differenceTokens"] for each in causes]
        if any(tokens) and None not in tokens:
            text += f", {sum(tokens):+,} tokens"
        amounts = [each["differenceUSD"] for each in causes]
        if any(amounts) and None not in amounts:
            text += f", {sum(amounts):+,.4f} dollars"
        for line in wrap(text, width, subsequent_indent="  "):
            yield line, ""


def _summary(found: Found) -> str:
    asked, totals = found["ccusage"], found["totals"]
    prices = "its own prices" if asked["offline"] else "prices from the network"
    reasons = f", {totals['unexplained']} not explained to the end" if totals["unexplained"] else ""
    return (
        f"ccusage {words.plain(asked['version'])} with {prices}, by days of {found['timezone']}: "
        f"{totals['agree']} of {totals['agree'] + totals['differ']} pairs of day and model agree, "
        f"{totals['differ']} differ{reasons}."
    )
