"""How figures of workflows read in a table: names, money, spans of time, shares. Pure."""

from __future__ import annotations

from tollkeeper.cli import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Figures = dict[str, Any]

# What each measure is called, by its key in an answer.
MEASURES = {
    "cost_usd": "billed",
    "value_usd": "list price",
    "total_tokens": "tokens",
    "duration_seconds": "duration",
}


def name(figures: Figures, key: str) -> str:
    """What it is called; what has no name says so."""
    return words.plain(figures[key]) if figures[key] else f"(no {key})"


def counted(answer: Figures) -> str:
    """How many workflows an answer to ``workflow.top`` is about, and how many of them it shows."""
    count = answer["totals"]["workflows"]
    shown = sum(1 for each in answer["workflows"] if each["workflow"])
    of = f" ({shown:,} shown)" if shown < count else ""
    return f"{count:,} workflow{'' if count == 1 else 's'}{of}"


def names(of: Iterable[str]) -> str:
    """All of them."""
    return words.plain(", ".join(of))


def money(figures: Figures, key: str) -> str:
    """Dollars; ``~`` marks those that hold a request without a known price."""
    return words.money(figures[key], figures["unpriced_requests"] > 0)


def time(seconds: float | None) -> str:
    """A span of time; nothing where it is not known."""
    return "" if seconds is None else words.span(seconds)


def percent(share: float) -> str:
    """A share in whole percent."""
    return "<1 %" if 0 < share < 0.005 else f"{share * 100:.0f} %"


def amount(key: str, value: float | None, guessed: bool = False) -> str:
    """A figure of the measure with this key, of any sign; nothing where it is not known.

    What comes to nothing as it is shown has no sign.
    """
    if value is None:
        return ""
    return _signed("-" if value < 0 else "", _told(key, abs(value), guessed))


def more(key: str, value: float | None) -> str:
    """A figure of the measure with this key, by which something is more, or less, than another."""
    return _signed("+", amount(key, value)) if value and value > 0 else amount(key, value)


def _told(key: str, size: float, guessed: bool) -> str:
    if key == "duration_seconds":
        return words.span(size)
    return f"{size:,.0f}" if key == "total_tokens" else words.money(size, guessed)


def _signed(sign: str, told: str) -> str:
    return f"{sign}{told}" if any(digit in told for digit in "123456789") else told


def shown_measures(figures: Iterable[Figures]) -> list[str]:
    """The keys of those measures that say anything of these: no list price that is just what is billed."""
    told = [*figures]
    keys = ["total_tokens"]
    if any(each["duration_seconds"] is not None for each in told):
        keys.append("duration_seconds")
    if any(each["value_usd"] != each["cost_usd"] for each in told):
        keys.insert(0, "value_usd")
    return ["cost_usd", *keys] if any(each["cost_usd"] for each in told) else keys
