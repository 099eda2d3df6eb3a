"""History: what each day, week or month came to, as a plot and as a table. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Literal

from msgspec import Struct
from rich.text import Text

from tollkeeper.cli import words
from tollkeeper.cli.report import Look, earlier_lines, report_lines, sections
from tollkeeper.cli.table import Column
from tollkeeper.top.drawing.bars import plot

Figures = dict[str, Any]
Verb = Literal["daily", "weekly", "monthly"]

SPLITS = (None, "model", "agent", "task")
# A bar of the plot is no wider, with the gap beside it.
WIDEST_BAR = 6
# From here on a gap parts the bars.
LEAST_WITH_GAP = 3


class Period(Struct, frozen=True):
    """A report: its verb, what names its rows, and how far it goes back."""

    verb: Verb
    key: str
    noun: str
    last: int
    before: Callable[[str], str]
    """The name of the row before."""


def _days_before(name: str, days: int) -> str:
    return (date.fromisoformat(name) - timedelta(days=days)).isoformat()


def _month_before(name: str) -> str:
    return f"{date.fromisoformat(f'{name}-01') - timedelta(days=1):%Y-%m}"


DAYS = Period("daily", "date", "day", 366, lambda name: _days_before(name, 1))
WEEKS = Period("weekly", "week", "week", 156, lambda name: _days_before(name, 7))
MONTHS = Period("monthly", "month", "month", 60, _month_before)


def heading(period: Period, split: str | None, answer: Figures | None, width: int) -> Text:
    """What is shown, and what it comes to."""
    line = Text(f"{period.noun.upper()}S", style="bold")
    if split:
        line.append(f" by {split}")
    if answer:
        totals, count = answer["totals"], len(answer[period.verb])
        guessed = totals["unpricedRequests"] > 0
        line.append(
            f"   {count} {period.noun}{'' if count == 1 else 's'}, "
            f"{words.money(totals['costUSD'], guessed)} billed, "
            f"{words.money(totals['valueUSD'], guessed)} list price, "
            f"{words.tokens(totals['totalTokens'])} tokens",
            style="not bold",
        )
    line.truncate(width, overflow="ellipsis")
    return line


def series(period: Period, rows: Sequence[Figures], most: int) -> dict[str, float]:
    """List-price dollars of the latest periods, oldest first; one in which nothing was used has none."""
    spent = {str(row[period.key]): row["valueUSD"] for row in rows}
    if not spent:
        return {}
    name, first = max(spent), min(spent)
    found = {name: spent[name]}
    while len(found) < most and name > first:
        name = period.before(name)
        found[name] = spent.get(name, 0.0)
    return dict(reversed(found.items()))


def plot_lines(period: Period, rows: Sequence[Figures], width: int, height: int) -> list[Text]:
    """A bar for each period, the newest at the right, and a line that says what they are."""
    spent = series(period, rows, width)
    if not spent:
        return []
    room = max(min(width // len(spent), WIDEST_BAR), 1)
    gap = int(room >= LEAST_WITH_GAP)
    drawn = plot([*spent.values()], len(spent), height)
    bars = ["".join(letter * (room - gap) + " " * gap for letter in row) for row in drawn]
    first, last = next(iter(spent)), next(reversed(spent))
    span = first if first == last else f"{first} to {last}"
    told = f"{span} by list price, the highest {words.money(max(spent.values()))}"
    lines = [*(Text(row.rstrip(), style="cyan") for row in bars), Text(told, style="dim")]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def table_lines(period: Period, split: str | None, answer: Figures, width: int) -> list[Text]:
    """The table, its heads first; nothing where nothing was used."""
    rows = answer[period.verb]
    if not rows:
        return []
    head = Column(period.noun.capitalize(), cut=2, least=24 if split else 10)
    look = Look([head], width, compact=False, money=True, models=False)
    lines = report_lines(sections({"": rows}, period.key, look), answer["totals"], look)
    return [Text(line, style=style) for line, style in lines]


def lines_before(answer: Figures, width: int) -> list[Text]:
    """The days from before the logs, the newest first, marked as what they are; nothing where there are none."""
    days = answer.get("earlier", ())
    if not days:
        return []
    told = ({**day, "date": str(day["date"])} for day in reversed(days))
    lines = [Text(""), *(Text(line, style=style) for line, style in earlier_lines(told, width))]
    for line in lines:
        line.stylize("dim")
    return lines
