"""Days whose logs were gone before they could be read, from the client's own statistics. Pure.

They are never part of a sum: the client counts by rules of its own.
"""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from tollkeeper_daemon.records import EarlierDay


def join(known: EarlierDay | None, new: EarlierDay) -> EarlierDay:
    """The same day as two files tell of it: the largest of each figure, whichever came first.

    The client counts on where it left off, and drops tokens of days whose logs are gone when it
    begins to count by new rules.
    """
    if known is None:
        return new
    models = known.models.keys() | new.models.keys()
    return EarlierDay(
        home=new.home,
        date=new.date,
        models={
            name: max(known.models.get(name, 0), new.models.get(name, 0)) for name in sorted(models)
        },
        lines=max(known.lines, new.lines),
        sessions=max(known.sessions, new.sessions),
        cache_counted=known.cache_counted or new.cache_counted,
    )


def days(
    known: Iterable[EarlierDay],
    counted: Collection[date],
    today: date,
    since: date | None = None,
    until: date | None = None,
) -> list[EarlierDay]:
    """The days from ``since`` to ``until`` of which nothing was counted, oldest first.

    ``counted`` are the days with requests in the ledger, in any home: its sums don't know homes.
    A day without tokens is told only from before the first of them, since later it is one on which
    nothing was asked. Today's logs are there.
    """
    first = min(counted, default=date.max)
    found = [
        day
        for day in known
        if _is_asked_for(when := date.fromisoformat(day.date), since, until)
        and when < today
        and when not in counted
        and (day.tokens or when < first)
    ]
    return sorted(found, key=lambda day: (day.date, day.home))


def _is_asked_for(day: date, since: date | None, until: date | None) -> bool:
    return not ((since and day < since) or (until and day > until))


def as_json(day: EarlierDay) -> dict[str, Any]:
    """The day for a report, marked as what it is; the models with most tokens first."""
    models = sorted(day.models.items(), key=lambda item: (-item[1], item[0]))
    return {
        "date": day.date,
        "models": dict(models),
        "tokens": day.tokens,
        "cacheCounted": day.cache_counted,
        "lines": day.lines,
        "sessions": day.sessions,
        "home": day.home,
        "source": "stats-cache",
    }
