"""The span that a report is asked for: its parameters, and the rows of the sums that lie in it."""

from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo

from msgspec import Struct

from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import QUARTER_MS, Book
from tollkeeper_daemon.reports import Sum, day_of
from tollkeeper_daemon.store.transaction import Transaction


class Period(Struct, frozen=True, forbid_unknown_fields=True):
    """Days from ``since`` to ``until`` inclusive, of a time zone; the local one by default."""

    since: date | None = None
    until: date | None = None
    timezone: str | None = None

    def zone(self) -> tzinfo | None:
        """The time zone asked for; Refused when there is none of that name."""
        if self.timezone is None:
            return None
        try:
            return ZoneInfo(self.timezone)
        except (ValueError, OSError, KeyError):
            raise Refused(
                "bad-params",
                f"no time zone {self.timezone!r}",
                "name one like Europe/Berlin or UTC",
            ) from None


def rows_in(daemon: Daemon, period: Period) -> list[Sum]:
    """The rows of the sums in this period, oldest first."""
    zone = period.zone()
    first = _quarter_before(period.since, zone) if period.since else 0

    books: dict[int, Book] = {}

    def work(transaction: Transaction) -> list[Sum]:
        found: list[Sum] = []
        for (quarter, number), totals in transaction.rows(first):
            day = day_of(quarter, zone) if period.since or period.until else None
            if day and (
                (period.since and day < period.since) or (period.until and day > period.until)
            ):
                continue
            book = books.get(number)
            if book is None:
                book = books[number] = transaction.book(number)
            found.append((quarter, book, totals))
        return found

    return daemon.store.read(work)


def _quarter_before(day: date, zone: tzinfo | None) -> int:
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    try:
        return int(start.timestamp() * 1000) // QUARTER_MS - 1
    except (ValueError, OverflowError):  # at the calendar's ends the local zone has no such time
        return 0
