"""What subscriptions were used for, by account: list price by quarter of an hour, and messages."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from msgspec import Struct

from tollkeeper_daemon.clock import day_of, start_of
from tollkeeper_daemon.ledger.books import SUBSCRIPTION, Book, quarter
from tollkeeper_daemon.ledger.prices import family_of
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.transaction import Transaction

# A window of seven days, and what is dated a little off.
KEPT_MS = 8 * 86_400_000
OPUS = "opus"
# A request may be dated so much ahead.
QUARTERS_AHEAD = 5


@lru_cache(maxsize=1_000)
def is_opus(model: str) -> bool:
    """Whether the model is one of the Opus family."""
    return family_of(model) == OPUS


class Spent(Struct):
    """What an account was used for in a quarter of an hour; ``value`` in nano-dollars."""

    value: int = 0
    messages: int = 0
    opus: int = 0


class Messages(Struct):
    """The messages of the local day, and those of the calendar month that Opus answered."""

    today: int = 0
    opus: int = 0


class PlanSums:
    """Runs beside the ledger: follows every change of its sums, and never reads them again.

    Requests of no known account belong to the only account there is; see ``names``.
    """

    def __init__(self) -> None:
        self._quarters: dict[str, dict[int, Spent]] = {}
        self._messages: dict[str, Messages] = {}
        self._day = (0, 0)
        self._month = 0
        self._read = False

    def begin_day(self, midnight: int, next_midnight: int, transaction: Transaction) -> None:
        """Count the day between these local midnights (ms) and its month; reads at first what was."""
        first = start_of(date.fromisoformat(day_of(midnight)).replace(day=1))
        self._day = quarter(midnight), quarter(next_midnight)
        self._month = quarter(first)
        oldest = quarter(min(first, midnight - KEPT_MS))
        if not self._read:
            self._read = True
            self._read_from(oldest, transaction)
        for name, quarters in list(self._quarters.items()):
            kept = {time: spent for time, spent in quarters.items() if time >= oldest}
            self._quarters[name] = kept
            counted = self._messages[name] = Messages()
            for time, spent in kept.items():
                self._count(counted, time, spent.messages, spent.opus)

    def add(self, time: int, book: Book, totals: Totals) -> None:
        """The ledger's row of this quarter and book changed by so much."""
        if book.source != SUBSCRIPTION:
            return
        opus = totals.messages if is_opus(book.model) else 0
        spent = self._quarters.setdefault(book.account, {}).setdefault(time, Spent())
        spent.value += totals.value
        spent.messages += totals.messages
        spent.opus += opus
        counted = self._messages.setdefault(book.account, Messages())
        self._count(counted, time, totals.messages, opus)

    @property
    def names(self) -> list[str]:
        """The accounts that messages were sent on in this month, as far as they are known."""
        return [name for name in self._quarters if name and self._messages[name] != Messages()]

    def messages(self, account: str, alone: bool) -> Messages:
        """The account's; ``alone`` says that no other one is known."""
        found = Messages()
        for name in self._of(account, alone):
            if counted := self._messages.get(name):
                found.today += counted.today
                found.opus += counted.opus
        return found

    def booked(self, account: str, alone: bool, time: int) -> int:
        """The account's value (nano-dollars) in the quarter of this time (ms), as it stands."""
        return self._value(account, alone, quarter(time), quarter(time) + 1)

    def since(self, account: str, alone: bool, time: int, booked: int, now: int) -> int:
        """The account's value from ``time`` on, when its quarter had come to ``booked`` by then."""
        until = quarter(now) + QUARTERS_AHEAD
        return max(self._value(account, alone, quarter(time), until) - booked, 0)

    def _value(self, account: str, alone: bool, first: int, until: int) -> int:
        value = 0
        for name in self._of(account, alone):
            quarters = self._quarters.get(name, {})
            value += sum(quarters[each].value for each in range(first, until) if each in quarters)
        return value

    def _of(self, account: str, alone: bool) -> Iterator[str]:
        """Under which names the account's requests are booked."""
        if alone and not account:
            yield from list(self._quarters)
            return
        yield account
        if alone:
            yield ""

    def _count(self, counted: Messages, time: int, messages: int, opus: int) -> None:
        if self._day[0] <= time < self._day[1]:
            counted.today += messages
        if time >= self._month:
            counted.opus += opus

    def _read_from(self, oldest: int, transaction: Transaction) -> None:
        books: dict[int, Book | None] = {}
        for (time, number), totals in transaction.rows(oldest):
            if number not in books:
                book = transaction.book(number)
                books[number] = book if book.source == SUBSCRIPTION else None
            if (book := books[number]) is not None:
                self.add(time, book, totals)
