"""How a forecast is shown. Pure."""

from __future__ import annotations

from textwrap import wrap

from tollkeeper.cli import words
from tollkeeper.cli.table import Column, Row, lay_out
from tollkeeper.cli.workflow_words import percent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tollkeeper.forecast import Amount, Forecast, Spread

COLUMNS = [
    Column(""),
    Column("Forecast", right=True),
    Column("Interval", right=True),
    Column("Median error", right=True),
    Column("Within 20 %", right=True),
]


def lines(found: Forecast, width: int) -> list[tuple[str, str]]:
    """The forecast as a table, and what it rests on; one line where there is none."""
    whose = f"stage {words.plain(found.stage)}" if found.stage else "a workflow"
    if found.forecast is None:
        told = f"Too little history for a forecast of {whose}: {found.reason}.{_usual(found)}"
        return [(told, "")]
    amounts = found.forecast
    rows = [
        _row(head, amount, told)
        for head, amount, told in (
            ("Tokens", amounts.tokens, _tokens),
            ("Cost", amounts.cost_usd, _money(found)),
            ("List price", amounts.value_usd, _money(found)),
        )
        if amount
    ]
    by = f", by {', '.join(found.used)}" if found.used else ""
    title = f"Forecast of {whose} from {found.pieces} past pieces of work{by}"
    return [
        *((line, "") for line in wrap(title, width)),
        ("", ""),
        *lay_out(COLUMNS, rows, width),
        ("", ""),
        *((line, "dim") for note in _notes(found, amounts.coverage) for line in wrap(note, width)),
    ]


def _row(head: str, amount: Amount, told: Callable[[float], str]) -> Row:
    return Row(
        [
            head,
            told(amount.predicted),
            f"{told(amount.low)} to {told(amount.high)}",
            percent(amount.median_error),
            percent(amount.within_20_percent),
        ]
    )


def _notes(found: Forecast, coverage: float) -> list[str]:
    notes = [
        f"The interval should hold {percent(coverage)} of such work.",
        "Errors are those of past pieces, each predicted from the others.",
    ]
    seen = [
        _range(name, found.past[name]) for name in ("files", "lines", "turns") if name in found.past
    ]
    notes.append(f"So far: {', '.join(seen)}.")
    if found.outside:
        notes.append(
            f"Outside of what any piece had, so not to be relied on: {', '.join(found.outside)}."
        )
    unused = [name for name in found.given if name not in found.used]
    if unused:
        notes.append(f"The same in all pieces, so of no use: {', '.join(unused)}.")
    return notes


def _range(name: str, spread: Spread) -> str:
    return f"{name} {spread.low:,.0f} to {spread.high:,.0f} (median {spread.median:,.0f})"


def _usual(found: Forecast) -> str:
    """What the pieces came to, in one sentence."""
    past = found.past
    if "tokens" not in past:
        return ""
    told = [
        f"{told(past[name].median)} {what} ({told(past[name].low)} to {told(past[name].high)})"
        for name, what, told in (
            ("tokens", "tokens", _tokens),
            ("value_usd", "at list price", _money(found)),
            ("cost_usd", "billed", _money(found)),
        )
        if past[name].high
    ]
    return f" Their medians: {', '.join(told)}."


def _tokens(count: float) -> str:
    return words.tokens(round(count))


def _money(found: Forecast) -> Callable[[float], str]:
    return lambda dollars: words.money(dollars, found.unpriced_requests > 0)
