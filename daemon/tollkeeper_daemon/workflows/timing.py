"""How the time of a span goes by: with work, waiting for people, or held at limits. Pure."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper.model import AgentState
from tollkeeper_daemon.store.schema import SpanRecord

Doing = Literal["worked", "held", "waited"]

# Looks come every two seconds: over a longer gap the machine slept, or nobody looked.
LONGEST_GAP_MS = 60_000
# What a span counts when several do its work at once: one of them working is enough.
FIRST: tuple[Doing, ...] = ("worked", "held", "waited")


class Look(Struct, frozen=True):
    """When a span was looked at last (ms), and how its time goes by since then."""

    at: int
    doing: Doing | None


def doing_of(state: AgentState, is_held: bool, is_limited: bool) -> Doing | None:
    """How an agent's time goes by; None for one that is gone.

    ``is_held`` says that it is paused or blocked, ``is_limited`` that its plan refuses requests.
    """
    match state:
        case "exited":
            return None
        case "working":
            return "worked"
        case "paused":
            return "held"
        case "idle":
            return "held" if is_held or is_limited else "waited"
        case "waiting":
            return "held" if is_held else "waited"


def together(doings: Iterable[Doing | None]) -> Doing | None:
    """How the time of a span goes by at which all of these are."""
    found = {*doings}
    return next((each for each in FIRST if each in found), None)


def counted(span: SpanRecord, look: Look, now: int) -> SpanRecord:
    """The span with the time since that look counted; a gap in which nobody looked is not."""
    gap = now - look.at
    if look.doing is None or not 0 < gap <= LONGEST_GAP_MS:
        return span
    match look.doing:
        case "worked":
            return replace(span, worked=span.worked + gap)
        case "held":
            return replace(span, held=span.held + gap)
        case "waited":
            return replace(span, waited=span.waited + gap)


def accounted(span: SpanRecord) -> int:
    """How much of the span's time (ms) is known to have been one or the other."""
    return span.worked + span.waited + span.held


def closed(span: SpanRecord, at: int, status: str) -> SpanRecord:
    """The span as it ended at this time (ms), with no more time counted than there was."""
    ended = max(at, span.started)
    room = ended - span.started
    worked = min(span.worked, room)
    held = min(span.held, room - worked)
    waited = min(span.waited, room - worked - held)
    return replace(span, ended=ended, status=status, worked=worked, held=held, waited=waited)
