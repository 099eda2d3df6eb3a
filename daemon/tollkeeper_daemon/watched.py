"""The running sums of single conversations, workflows, stages and tasks: those that somebody watches."""

from collections.abc import Iterable

from tollkeeper_daemon.ledger.books import QUARTER_MS, Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.tally import Tally

Value = tuple[str, str]
"""A field of a book, and a value of it; that of a stage is its workflow's id and its own name."""


class Watched:
    """A tally for each watched field of a book and its value, such as a task's label."""

    def __init__(self) -> None:
        self._tallies: dict[Value, Tally] = {}
        self._last: dict[Value, int] = {}
        self._fields: set[str] = set()

    def begin(self, values: Iterable[Value], transaction: Transaction) -> None:
        """Watch what is booked under these from now on, on top of what stands in the ledger."""
        begun = Watched()
        begun._watch(values)
        for (quarter, number), totals in transaction.rows():
            begun.add(quarter, transaction.book(number), totals)
        self._tallies |= begun._tallies
        self._last |= begun._last
        self._fields |= begun._fields

    def _watch(self, values: Iterable[Value]) -> None:
        self._tallies = {value: Tally() for value in values}
        self._last = dict.fromkeys(self._tallies, 0)
        self._fields = {field for field, _ in self._tallies}

    def end(self, field: str, value: str) -> None:
        """Watch it no more."""
        self._tallies.pop((field, value), None)
        self._last.pop((field, value), None)

    def has(self, field: str, value: str) -> bool:
        """Whether it is watched."""
        return (field, value) in self._tallies

    def tally(self, field: str, value: str) -> Tally:
        """What it has come to; nothing when it is not watched."""
        return self._tallies.get((field, value), Tally())

    def last_spent(self, field: str, value: str) -> int:
        """When something was booked under it last (ms), to a quarter of an hour; 0 for never."""
        return self._last.get((field, value), 0) * QUARTER_MS

    def add(self, quarter: int, book: Book, totals: Totals) -> None:
        """Something was booked in this quarter of an hour."""
        for field in self._fields:
            value = field, value_of(book, field)
            if tally := self._tallies.get(value):
                tally.add(book, totals)
                self._last[value] = max(self._last[value], quarter)


def value_of(book: Book, field: str) -> str:
    """What the book has in this field."""
    if field == "stage":
        return stage_in(book.workflow, book.stage)
    return getattr(book, field)


def stage_in(workflow: str, stage: str) -> str:
    """The stage of a workflow, by one name; empty for none."""
    return f"{workflow}/{stage}" if stage else ""
