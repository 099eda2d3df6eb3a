"""Markers: what one says of a stage, and which spans are theirs. Pure."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.store.schema import SpanRecord

MARKED = "m"

Event = Literal["start", "end"]
EndStatus = Literal["completed", "failed"]


class Mark(Struct, frozen=True):
    """A marker's word on a stage: which, who is at it where that is said, and in which folder.

    ``agent`` and ``conversation`` are set when ``role`` is a running agent's name; ``is_implied`` says
    that it was not named, but is the one that calls.
    """

    labels: Labels
    role: str = ""
    agent: str = ""
    conversation: str = ""
    folder: str = ""
    is_implied: bool = False

    def is_exactly(self, span: SpanRecord) -> bool:
        """Whether the span is the one that this marker starts."""
        return is_marked(span) and (span.labels, span.role) == (self.labels, self.role)

    def is_same(self, span: SpanRecord) -> bool:
        """Whether it is the span that this marker starts, by the same agent."""
        return self.is_exactly(span) and span.agent == self.agent

    def may_mean(self, span: SpanRecord) -> bool:
        """Whether the marker may be about this span: what either of them leaves open parts them not."""
        is_role = self.is_implied or not (span.role and self.role) or span.role == self.role
        return is_marked(span) and is_role and fits(span.labels, self.labels)

    def has_told(self, event: Event, at: int, span: SpanRecord) -> bool:
        """Whether the marker, of that time (ms), is one that the span began or ended with.

        A span that began before its marker holds it well within: a stage that ends may start anew in the
        same second.
        """
        if not self.may_mean(span):
            return False
        if event == "end":
            return span.ended == at
        last = span.ended - span.ended % 1000
        return span.started == at or (span.started < at and (not span.ended or at < last))


def is_marked(span: SpanRecord) -> bool:
    """Whether a marker made the span."""
    return span.id.startswith(f"{MARKED}:")


def marked_id(name: str) -> str:
    """The id of the span that a marker names so: by an id of the marker's own, or as the span is shown."""
    return name if name.startswith(f"{MARKED}:") else f"{MARKED}:{name}"


def fits(one: Labels, other: Labels) -> bool:
    """Whether both are at one stage of one piece of work; in a workflow either may leave the task open."""
    if (one.workflow, one.stage) != (other.workflow, other.stage):
        return False
    is_open = bool(one.workflow) and not (one.task and other.task)
    return is_open or one.task == other.task


def free_id(stem: str, is_taken: Callable[[str], object]) -> str:
    """An id that no span of the workflow has: marked ones are numbered, others from the second on."""
    if stem != MARKED and not is_taken(stem):
        return stem
    number = 1 if stem == MARKED else 2
    while is_taken(f"{stem}:{number}"):
        number += 1
    return f"{stem}:{number}"
