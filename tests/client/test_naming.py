"""Whom a word names: by pid, id, name, conversation, or the first letters of the latter."""

from typing import NamedTuple

import pytest

from tollkeeper.naming import named, near, several


class Known(NamedTuple):
    """An agent with its names."""

    id: str
    pid: int
    name: str
    conversation: str


ADA = Known("10-1", 10, "Ada", "abcdef-1")
BOB = Known("20-2", 20, "10", "abcdef-2")
EVE = Known("30-3", 30, "abcdef", "")
ALL = [ADA, BOB, EVE]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("Ada", [ADA]),
        ("10", [ADA]),
        ("20-2", [BOB]),
        ("abcdef-2", [BOB]),
        ("abcdef", [EVE]),
        ("abcdef-", [ADA, BOB]),
        ("abcde", []),
        ("", []),
        ("ada", []),
    ],
)
def test_words(word: str, found: list[Known]) -> None:
    """A pid counts before a name, a name before the beginning of a conversation, which is long enough."""
    assert found == named(word, ALL)


@pytest.mark.parametrize(
    ("word", "name"),
    [("ada", "Ada"), ("Adda", "Ada"), ("ABCDEG", "abcdef"), ("x", None), ("", None)],
)
def test_near(word: str, name: str | None) -> None:
    """A name is known again by another case, and by most of its letters."""
    assert name == near(word, ALL)


def test_several() -> None:
    """Whom a word may name is told with their pids."""
    assert "'abcdef-' may be Ada (pid 10) or 10 (pid 20)" == several("abcdef-", [ADA, BOB])
