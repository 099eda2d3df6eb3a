"""``toll demo`` without a dashboard: where it says to look."""

from pathlib import Path

from tollkeeper.cli.demo import where_to_look
from tollkeeper.demo.place import Place

PLACE = Place(Path("/tmp/toll-demo-x"))


def test_where_to_look() -> None:
    """What each command shows stands in one column; the tray icon is told of only where it can start."""
    lines = where_to_look(PLACE, tray=True)
    shown = ("the dashboard", "the same as a table", "the tray icon")
    assert len({line.index(words) for line, words in zip(lines, shown, strict=True)}) == 1
    assert lines[:2] == where_to_look(PLACE, tray=False)
