"""The running sums of single conversations, workflows and tasks: those that somebody watches."""

from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.tally import Tally


class Watched:
    """A tally for each watched field of a book and its value, such as a task's label."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._fields: set[str] = set()

    def begin(self, field: str, value: str, transaction: Transaction) -> None:
        """Watch what is booked under this value from now on, on top of what stands in the ledger."""
        tally = Tally()
        for (_, number), totals in transaction.rows():
            book = transaction.book(number)
            if getattr(book, field) == value:
                tally.add(book, totals)
        self._tallies[field, value] = tally
        self._fields.add(field)

    def end(self, field: str, value: str) -> None:
        """Watch it no more."""
        self._tallies.pop((field, value), None)

    def has(self, field: str, value: str) -> bool:
        """Whether it is watched."""
        return (field, value) in self._tallies

    def tally(self, field: str, value: str) -> Tally:
        """What it has come to; nothing when it is not watched."""
        return self._tallies.get((field, value), Tally())

    def add(self, book: Book, totals: Totals) -> None:
        """Something was booked."""
        for field in self._fields:
            if tally := self._tallies.get((field, getattr(book, field))):
                tally.add(book, totals)
