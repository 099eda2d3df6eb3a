"""The grid in which cards lie: every card at one place, no place with two."""

from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.top.drawing.grid import Grid

heights = st.lists(st.integers(3, 12), max_size=40)


@given(heights, st.integers(1, 6))
def test_every_line_has_its_cards(heights: list[int], columns: int) -> None:
    """Each line belongs to one row, in which as many cards are as there are columns, or are left."""
    grid = Grid.of(heights, columns)
    seen: dict[int, int] = {}
    for line in range(grid.height):
        cards, at = grid.row_at(line)
        for card in cards:
            assert grid.span_of(card)[0] + at == line
            seen[card] = seen.get(card, 0) + 1
    assert sorted(seen) == [*range(len(heights))]
    assert all(lines >= heights[card] for card, lines in seen.items())
    assert not grid.row_at(grid.height)[0]


@given(st.integers(1, 40), st.integers(1, 6), st.integers(20, 300))
def test_edges_meet(count: int, columns: int, width: int) -> None:
    """Cards stand beside each other without a gap, and the last one ends where the line does."""
    grid = Grid.of([3] * count, columns)
    for card in range(count):
        left, right = grid.edge(card, width)
        line = grid.span_of(card)[0]
        assert {card} == {grid.card_at(line, x, width) for x in (left, right - 1)}
        assert left == (grid.edge(card - 1, width)[1] if card % columns else 0)
        assert right == width or card % columns < columns - 1
