"""Whom a word names: one rule, with a daemon and without. Pure."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

# So much of a conversation's id is enough to name it by.
LEAST_OF_ID = 6


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


def several(word: str, found: Sequence[Nameable]) -> str:
    """That the word may be any of these."""
    told = " or ".join(f"{each.name} (pid {each.pid})" for each in found)
    return f"{word!r} may be {told}"
