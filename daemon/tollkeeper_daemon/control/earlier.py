"""``earlier``: the days whose logs were gone before they could be read."""

from datetime import date
from typing import Any

from msgspec import Struct

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.sheets import choice_of
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import quarter
from tollkeeper_daemon.records import EarlierDay
from tollkeeper_daemon.reports.choice import Choice, day_of, quarter_before
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.transcript import earlier


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

    known, quarters = daemon.store.read(lambda transaction: _known(transaction, choice))
    zones = {choice.zone(), None}
    counted = {day_of(quarter, zone) for quarter in quarters for zone in zones}
    return earlier.days(known, counted, day_of(quarter(now_ms()), None))


def _known(transaction: Transaction, choice: Choice) -> tuple[list[EarlierDay], set[int]]:
    """The days of the span that the clients counted, and the quarters in them that were counted here.

    The first quarter of all is among them, wherever it lies.
    """
    days = [(date.fromisoformat(day.date), day) for day in transaction.earlier_days()]
    known = [(when, day) for when, day in days if choice.holds(when)]
    if not known:
        return [], set()
    first = next((row[0] for row, totals in transaction.rows() if totals.requests), None)
    since = quarter_before(min(when for when, _ in known))
    until = quarter_before(max(when for when, _ in known)) + 3 * 96
    within = {row[0] for row, totals in transaction.rows(since, until) if totals.requests}
    return [day for _, day in known], within if first is None else within | {first}


def with_earlier(daemon: Daemon, choice: Choice, report: dict[str, Any]) -> dict[str, Any]:
    """The report, and the earlier days beside it where there are any.

    They are of no project, no payer and no agent, and have no place among the newest lines.
    """
    if choice.narrows or choice.last is not None:
        return report
    found = read_earlier(daemon, choice)
    return {**report, "earlier": [earlier.as_json(day) for day in found]} if found else report
