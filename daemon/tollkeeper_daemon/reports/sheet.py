"""What a report is made of: rows of the sums, and what is known of their books."""

from collections.abc import Callable, Hashable
from operator import add
from typing import TypeVar

from msgspec import Struct, field

from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.totals import Totals

Figures = list[int]
"""A row's counts, in the order of the fields of ``Totals``."""

VALUE = Totals.__struct_fields__.index("value")

P = TypeVar("P", bound=Hashable)
B = TypeVar("B", bound=Hashable)


class Place(Struct, frozen=True):
    """What a report says of a conversation; times in ms, 0 for unknown."""

    project: str = ""
    cwd: str = ""
    title: str = ""
    first_time: int = 0
    last_time: int = 0


class Sheet(Struct, frozen=True):
    """The rows that a report may count, and their books, agents' names and conversations.

    A row is the quarter of an hour, the book's number, and its figures.
    """

    rows: list[tuple[int, int, Figures]]
    books: dict[int, Book]
    names: dict[str, str] = field(default_factory=dict[str, str])
    places: dict[str, Place] = field(default_factory=dict[str, Place])

    def place(self, book: Book) -> Place:
        """What is known of the conversation that the book is of."""
        return self.places.get(book.conversation) or Place()

    def gather(
        self, period_of: Callable[[int], P | None], bucket_of: Callable[[Book], B | None]
    ) -> dict[tuple[P, B], Figures]:
        """The rows summed up by period and bucket; a row for which one of them is None is left out.

        Each function is asked once for each quarter, or book.
        """
        buckets = {number: bucket_of(book) for number, book in self.books.items()}
        numbers = {bucket: at for at, bucket in enumerate({*buckets.values()})}
        places = {
            number: None if bucket is None else numbers[bucket]
            for number, bucket in buckets.items()
        }
        periods: dict[int, P | None] = {}
        # By period, cells by the bucket's number: keys that are quick to look up, a million times.
        cells: dict[P, dict[int, Figures]] = {}
        for quarter, number, figures in self.rows:
            if quarter not in periods:
                periods[quarter] = period_of(quarter)
            period, place = periods[quarter], places[number]
            if period is None or place is None:
                continue
            row = cells.get(period)
            if row is None:
                row = cells[period] = {}
            known = row.get(place)
            row[place] = figures if known is None else list(map(add, known, figures))
        named = {at: bucket for bucket, at in numbers.items() if bucket is not None}
        return {
            (period, named[place]): figures
            for period, row in cells.items()
            for place, figures in row.items()
        }


NOTHING: Figures = [0] * len(Totals.__struct_fields__)


def _added(one: Figures, other: Figures) -> Figures:
    return other if one is NOTHING else list(map(add, one, other))


class Sums(Struct):
    """A sum that knows what of its value is billed (nano-dollars). Mutable: it grows.

    Figures are shared among sums and never changed in place, since most sums are of one cell.
    """

    figures: Figures = field(default_factory=lambda: NOTHING)
    cost: int = 0

    def put(self, figures: Figures, billed: bool) -> None:
        """Add this much, of which all is billed or nothing."""
        self.figures = _added(self.figures, figures)
        if billed:
            self.cost += figures[VALUE]

    def merge(self, other: "Sums") -> None:
        """Add another sum."""
        self.figures = _added(self.figures, other.figures)
        self.cost += other.cost

    @property
    def totals(self) -> Totals:
        """The counts, by their names."""
        return Totals(*self.figures)
