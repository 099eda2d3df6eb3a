"""What came of a word to an agent, in a line: what dashboard and tray have in common. Pure."""

from msgspec import Struct

from tollkeeper.cli import words
from tollkeeper.errors import TollError
from tollkeeper.model import Done

# Stopping takes the grace period, perhaps twice.
STOP_SECONDS = 7200.0
CALL_SECONDS = 10.0
DONE = {"paused": "is paused", "resumed": "goes on", "stopped": "has ended"}


class Came(Struct, frozen=True):
    """What came of it, in a line."""

    text: str
    is_error: bool = False


class DoneAnswer(Struct, frozen=True):
    """The answer to ``pause``, ``resume`` and ``stop``."""

    done: tuple[Done, ...]


def told(done: Done) -> Came:
    """What the daemon says that it did to one agent."""
    name = words.plain(done.agent)
    if done.error:
        return Came(f"{name}: {words.plain(done.error)}", is_error=True)
    note = words.plain(done.note or "")
    if not done.kind:
        return Came(f"{name}: {note}")
    return Came(f"{name} {DONE.get(done.kind, done.kind)}. {note}".rstrip())


def refused(error: TollError) -> Came:
    """Why nothing was done."""
    text = f"{error.message}; {error.hint}" if error.hint else error.message
    return Came(words.plain(text), is_error=True)
