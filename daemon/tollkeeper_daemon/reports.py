"""Reports from the sums: rows in, report out; pure. Keys are ccusage's, with a few more of ours."""

from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, date, datetime, tzinfo
from functools import cache, partial
from typing import Any

from msgspec import Struct, field

from tollkeeper_daemon.ledger.books import QUARTER_MS, Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.tally import Tally, dollars

Sum = tuple[int, Book, Totals]
"""A row of the sums: the quarter of an hour, the book, and what was booked in it."""


class Line(Struct):
    """One line of a report as it is summed up. Mutable: it grows row by row."""

    tally: Tally = field(default_factory=Tally)
    models: dict[str, Tally] = field(default_factory=dict[str, Tally])

    def add(self, book: Book, totals: Totals) -> None:
        """Add a row."""
        self.tally.add(book, totals)
        if book.model:
            self.models.setdefault(book.model, Tally()).add(book, totals)

    def as_json(self) -> dict[str, Any]:
        """The sums under ccusage's keys, models from the dearest down."""
        models = sorted(self.models.items(), key=lambda item: -item[1].totals.value)
        return {
            **totals_json(self.tally),
            "modelsUsed": [name for name, _ in models],
            "modelBreakdowns": [
                {"modelName": name, **_tokens_json(tally), "cost": dollars(tally.totals.value)}
                for name, tally in models
            ],
        }


def totals_json(tally: Tally) -> dict[str, Any]:
    """Sums under ccusage's keys. ``totalCost`` is the list price of everything, as there."""
    totals = tally.totals
    return {
        **_tokens_json(tally),
        "totalTokens": totals.tokens,
        "totalCost": dollars(totals.value),
        "valueUSD": dollars(totals.value),
        "costUSD": dollars(tally.cost),
        "requests": totals.requests,
        "messages": totals.messages,
        "unpricedRequests": totals.unpriced,
    }


def _tokens_json(tally: Tally) -> dict[str, Any]:
    totals = tally.totals
    return {
        "inputTokens": totals.input,
        "outputTokens": totals.output,
        "cacheCreationTokens": totals.cache_write_5m + totals.cache_write_1h,
        "cacheReadTokens": totals.cache_read,
        "cacheWrite5mTokens": totals.cache_write_5m,
        "cacheWrite1hTokens": totals.cache_write_1h,
        "webSearches": totals.web_searches,
    }


def sum_up(
    rows: Iterable[Sum], key: Callable[[int, Book], Hashable]
) -> tuple[dict[Any, Line], Tally]:
    """The rows summed up under what ``key`` says of each, and the sum of all."""
    lines: dict[Any, Line] = {}
    total = Tally()
    for quarter, book, totals in rows:
        lines.setdefault(key(quarter, book), Line()).add(book, totals)
        total.add(book, totals)
    return lines, total


def daily(rows: Iterable[Sum], zone: tzinfo | None) -> dict[str, Any]:
    """A line per day, oldest first."""
    day = cache(partial(day_of, zone=zone))
    lines, total = sum_up(rows, lambda quarter, _: day(quarter))
    days = [{"date": day.isoformat(), **lines[day].as_json()} for day in sorted(lines)]
    return {"daily": days, "totals": totals_json(total)}


def session(rows: Iterable[Sum], describe: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """A line per conversation, the one with the earliest activity first."""
    lines, total = sum_up(rows, lambda _, book: book.conversation)
    found = [
        {"sessionId": name, **describe(name), **line.as_json()} for name, line in lines.items()
    ]
    found.sort(key=lambda line: line["firstActivity"] or "")
    return {"sessions": found, "totals": totals_json(total)}


def day_of(quarter: int, zone: tzinfo | None) -> date:
    """The day that the quarter of an hour lies in; the local one without a zone."""
    return datetime.fromtimestamp(quarter * QUARTER_MS / 1000, UTC).astimezone(zone).date()
