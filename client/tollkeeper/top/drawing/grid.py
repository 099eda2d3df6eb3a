"""Where cards lie: in columns of one width, and in rows that are as high as their highest card. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct


class Grid(Struct, frozen=True):
    """So many cards in so many columns. ``tops`` has the first line of each row, and the end of the last."""

    count: int = 0
    columns: int = 1
    tops: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, heights: Sequence[int], columns: int) -> "Grid":
        """The grid of cards with these heights, row by row."""
        starts = range(0, len(heights), columns)
        rows = (max(heights[start : start + columns]) for start in starts)
        return cls(len(heights), columns, (0, *accumulate(rows)))

    @property
    def height(self) -> int:
        """How many lines all rows take."""
        return self.tops[-1]

    def span_of(self, card: int) -> tuple[int, int]:
        """The first line of the card's row, and how many it has."""
        row = card // self.columns
        return self.tops[row], self.tops[row + 1] - self.tops[row]

    def row_at(self, line: int) -> tuple[range, int]:
        """The cards that cross this line, and which line of theirs it is; none below the last row."""
        row = bisect_right(self.tops, line) - 1
        first = row * self.columns
        return range(first, min(first + self.columns, self.count)), line - self.tops[row]

    def card_at(self, line: int, x: int, width: int) -> int | None:
        """The card at this place of a grid of this width."""
        found = (card for card in self.row_at(line)[0] if x < self.edge(card, width)[1])
        return next(found, None)

    def edge(self, card: int, width: int) -> tuple[int, int]:
        """Where the card begins in a line of this width, and where the next one does."""
        column = card % self.columns
        return width * column // self.columns, width * (column + 1) // self.columns
