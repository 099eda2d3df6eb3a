"""What of the sums a report shows: its span, its project, and what each line is split by."""

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from tollkeeper_daemon.ledger.books import QUARTER_MS, Book
from tollkeeper_daemon.reports.sheet import Sheet

Dimension = Literal[
    "agent",
    "subagent",
    "source",
    "account",
    "workflow",
    "task",
    "stage",
    "model",
    "project",
]

VALUES: dict[Dimension, Callable[[Book, Sheet], str]] = {
    "agent": lambda book, sheet: sheet.names.get(book.agent, book.agent),
    "subagent": lambda book, sheet: book.subagent_type or book.subagent,
    "source": lambda book, sheet: book.source,
    "account": lambda book, sheet: book.account,
    "workflow": lambda book, sheet: book.workflow,
    "task": lambda book, sheet: book.task,
    "stage": lambda book, sheet: book.stage,
    "model": lambda book, sheet: book.model,
    "project": lambda book, sheet: sheet.place(book).cwd or sheet.place(book).project,
}


class BadZone(ValueError):
    """There is no time zone of that name."""


class Choice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a report was asked for; days are inclusive, and the local zone's without a zone.

    ``source`` and ``account`` are who pays, an account by its name or how that begins, "" for those
    that bear none. ``by`` splits each line, ``last`` keeps that many of the newest lines, ``cost=False`` leaves
    money out, ``brief`` all that a table does not show.
    """

    since: date | None = None
    until: date | None = None
    timezone: str | None = None
    project: str | None = None
    source: str | None = None
    account: str | None = None
    by: tuple[Dimension, ...] = ()
    order: Literal["asc", "desc"] = "asc"
    last: int | None = None
    cost: bool = True
    brief: bool = False

    def zone(self) -> tzinfo | None:
        """The time zone asked for; BadZone when there is none of that name."""
        return zone_named(self.timezone)

    def holds(self, day: date) -> bool:
        """Whether the day lies in the span."""
        return not ((self.since and day < self.since) or (self.until and day > self.until))

    def wants(self, book: Book, sheet: Sheet) -> bool:
        """Whether the book is of the payer, and of the project, that were asked for.

        A project is told by its path, its folder, or its slug.
        """
        if not is_paid_by(book.source, book.account, self.source, self.account):
            return False
        if self.project is None:
            return True
        place = sheet.place(book)
        folder = place.cwd.rstrip("/").rpartition("/")[2]
        return self.project in (place.cwd, place.project, folder)

    def split(self, book: Book, sheet: Sheet) -> tuple[str, ...]:
        """What the book is called in each of the dimensions asked for."""
        return tuple(VALUES[dimension](book, sheet) for dimension in self.by) if self.by else ()

    @property
    def narrows(self) -> bool:
        """Whether it leaves out any books."""
        return not self.project is self.source is self.account is None

    @property
    def needs_places(self) -> bool:
        """Whether conversations must be known for it."""
        return self.project is not None or "project" in self.by

    @property
    def first_quarter(self) -> int:
        """Where the rows begin that may lie in the span."""
        return quarter_before(self.since) if self.since else 0


def is_paid_by(
    source: str, account: str, wanted_source: str | None, wanted_account: str | None
) -> bool:
    """Whether the payer is of the source wanted, and its account begins so; None is for any."""
    if wanted_source is not None and source != wanted_source:
        return False
    if not wanted_account:
        return wanted_account is None or not account
    return account.startswith(wanted_account)


def quarter_before(day: date) -> int:
    """A quarter of an hour before the day begins in whatever zone: a day early, as zones differ."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return max(int(start.timestamp() * 1000) // QUARTER_MS - 96, 0)


def zone_named(name: str | None) -> tzinfo | None:
    """The time zone of this name, None for the local one; BadZone when there is none."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise BadZone(f"no time zone {name!r}") from None


def day_of(quarter: int, zone: tzinfo | None) -> date:
    """The day that the quarter of an hour lies in; the local one without a zone."""
    return day_at(quarter * QUARTER_MS, zone)


def day_at(time: int, zone: tzinfo | None) -> date:
    """The day of this time (ms)."""
    return datetime.fromtimestamp(time // 1000, zone).date()
