"""What is still to be done about work that has ended, as it is saved: the same rules as schema.py's."""

from msgspec import Struct

from tollkeeper_daemon.records import FileMark
from tollkeeper_daemon.store.schema import WorkSum


class Ended(Struct, frozen=True, array_like=True, gc=False):
    """A span that has ended, or a whole workflow (no ``span``), of which nobody has reckoned yet."""

    workflow: str
    span: str = ""


class PendingLines(Struct, frozen=True, array_like=True, gc=False):
    """Lines that are to be appended to a file, which held ``offset`` bytes when they were made.

    ``number`` counts up; ``since`` (ms) is when they were made.
    """

    number: int
    path: str
    offset: int
    data: bytes
    since: int


class PendingComment(Struct, frozen=True, array_like=True, gc=False):
    """A comment that a task is to get about a span; times in ms.

    ``marker`` is the line of the ``text`` by which it is known again. It waits since ``since``, was
    tried so many times, and is ``due`` then.
    """

    workflow: str
    span: str
    task: str
    folder: str
    marker: str
    text: str
    since: int
    tries: int = 0
    due: int = 0


class EventsFile(Struct, frozen=True, array_like=True, gc=False):
    """How far a workflow-metrics.jsonl was read: of the block at the mark, so many events are ``done``.

    ``latest`` is the latest time (ms) of an event. While a file that was replaced is read anew, events
    up to ``known_until`` are known. ``bad`` counts the lines that could not be read. ``is_new`` says that
    it is read for the first time, or anew.
    """

    mark: FileMark
    done: int = 0
    latest: int = 0
    known_until: int = 0
    bad: int = 0
    is_new: bool = False


Part = tuple[str, str, str, str, str, str]


def part_of(each: WorkSum) -> Part:
    """Which part of its workflow these sums are of."""
    return each.task, each.stage, each.agent, each.subagent_type, each.model, each.source
