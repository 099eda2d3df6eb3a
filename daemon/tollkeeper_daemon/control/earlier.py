"""``earlier``: the days whose logs were gone before they could be read."""

from datetime import date
from typing import Any

from msgspec import Struct

from tollkeeper_daemon import earlier
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.sheets import choice_of
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import quarter
from tollkeeper_daemon.records import EarlierDay
from tollkeeper_daemon.reports.choice import Choice, day_of
from tollkeeper_daemon.reports.line import REQUESTS
from tollkeeper_daemon.store.transaction import Transaction


class Span(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that may be asked: what the client counted by day can't be parted any further."""

    since: date | None = None
    until: date | None = None
    timezone: str | None = None


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The days of the span, oldest first, one for each home that has statistics of it."""
    params_as(Span, params)
    found = read_earlier(daemon, choice_of(Choice, params))
    return {"earlier": [earlier.as_json(day) for day in found]}


def read_earlier(daemon: Daemon, choice: Choice) -> list[EarlierDay]:
    """The earlier days of the span that a report is asked for.

    A day is counted when it holds requests by the zone asked for, or by the local one, in which
    the client counts.
    """

    def work(transaction: Transaction) -> tuple[list[EarlierDay], set[int]]:
        known = transaction.earlier_days()
        if not known:
            return [], set()
        return known, {
            quarter for quarter, _, figures in transaction.figures() if figures[REQUESTS]
        }

    known, quarters = daemon.store.read(work)
    zones = {choice.zone(), None}
    return earlier.days(
        known,
        {day_of(quarter, zone) for quarter in quarters for zone in zones},
        day_of(quarter(now_ms()), None),
        choice.since,
        choice.until,
    )


def with_earlier(daemon: Daemon, choice: Choice, report: dict[str, Any]) -> dict[str, Any]:
    """The report, and the earlier days beside it where there are any.

    They are of no project and of no agent, and have no place among the newest lines.
    """
    if choice.project is not None or choice.last is not None:
        return report
    found = read_earlier(daemon, choice)
    return {**report, "earlier": [earlier.as_json(day) for day in found]} if found else report
