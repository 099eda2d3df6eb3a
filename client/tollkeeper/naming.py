"""Whom a word names: one rule, with a daemon and without. Pure."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Protocol, TypeVar

# So much of a conversation's id is enough to name it by.
LEAST_OF_ID = 6
# What is longer is no slip of the fingers.
LONGEST_MISTAKEN = 80


class Nameable(Protocol):
    """What has the names of an agent."""

    @property
    def id(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def conversation(self) -> str: ...


N = TypeVar("N", bound=Nameable)


def named(word: str, agents: Iterable[N]) -> list[N]:
    """Those with this pid or id, else this name or conversation, else a beginning of the latter."""
    known = list(agents)
    # A number is a pid, whatever others call themselves.
    found = [each for each in known if word in (str(each.pid), each.id)]
    found = found or [each for each in known if word and word in (each.name, each.conversation)]
    return found or [each for each in known if is_begun(each.conversation, word)]


def is_begun(conversation: str, word: str) -> bool:
    """Whether the word is the beginning of the conversation's id, and long enough to name it."""
    return len(word) >= LEAST_OF_ID and conversation.startswith(word)


def near(word: str, agents: Iterable[Nameable]) -> str | None:
    """The name that the word is most like, whatever its case; None where it is like none."""
    names = {each.name.casefold(): each.name for each in agents}
    found = get_close_matches(word[:LONGEST_MISTAKEN].casefold(), names, 1)
    return names[found[0]] if found else None


def several(word: str, found: Sequence[Nameable]) -> str:
    """That the word may be any of these."""
    told = " or ".join(f"{each.name} (pid {each.pid})" for each in found)
    return f"{word!r} may be {told}"
