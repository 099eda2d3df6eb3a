"""Reads what a report is made of, and asks for what it was asked for."""

from datetime import date, tzinfo
from typing import Any, TypeVar

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports.choice import BadZone, Choice, day_at, zone_named
from tollkeeper_daemon.reports.sheet import Place, Sheet
from tollkeeper_daemon.store.transaction import Transaction

C = TypeVar("C", bound=Choice)


def choice_of(kind: type[C], params: dict[str, Any]) -> C:
    """What the caller asked for; Refused when it makes no sense."""
    choice = params_as(kind, params)
    zone_in(choice.timezone)
    if choice.last is not None and choice.last < 1:
        raise Refused("bad-params", "last must be at least 1")
    return choice


def zone_in(name: str | None) -> tzinfo | None:
    """The time zone that the caller named; Refused when there is none of that name."""
    try:
        return zone_named(name)
    except BadZone as error:
        raise Refused("bad-params", str(error), "name one like Europe/Berlin or UTC") from None


def today(choice: Choice) -> date:
    """The day that it is, in the zone of the choice."""
    return day_at(now_ms(), choice.zone())


def read_sheet(daemon: Daemon, choice: Choice, places: bool = False) -> Sheet:
    """The rows from where the span begins on, in one consistent state of the store."""
    return daemon.store.read(
        lambda transaction: read_sheet_in(transaction, choice, choice.first_quarter, places)
    )


def read_sheet_in(
    transaction: Transaction, choice: Choice, since: int, places: bool = False
) -> Sheet:
    """The rows from this quarter on, and what the choice needs to know of their books."""
    rows = transaction.figures(since)
    agents = transaction.agents() if "agent" in choice.by else []
    return Sheet(
        rows,
        {number: transaction.book(number) for number in {row[1] for row in rows}},
        {agent.id: agent.name for agent in agents},
        _places(transaction) if places or choice.needs_places else {},
    )


def _places(transaction: Transaction) -> dict[str, Place]:
    return {
        name: Place(each.project, each.cwd, each.title, each.first_time, each.last_time)
        for name, each in transaction.conversations()
    }
