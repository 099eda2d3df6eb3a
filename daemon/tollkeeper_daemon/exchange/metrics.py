"""The lines of .claude/workflow-metrics.jsonl: events that others append, and what we say of stages. Pure."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from tollkeeper_daemon.clock import ms_of
from tollkeeper_daemon.exchange.reckoning import Added
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.labels.task_ids import of_task
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.names import id_of
from tollkeeper_daemon.store.schema import SpanRecord, WorkflowRecord
from tollkeeper_daemon.tally import dollars
from tollkeeper_daemon.workflows.marks import Event

KINDS: dict[str, Event] = {"stage_start": "start", "stage_end": "end"}
STATUSES = ("completed", "failed")
LAST_OF_SECOND_MS = 999


class StageEvent(Struct, frozen=True):
    """What a line says of a stage; ``time`` (ms) is None where it does not say when."""

    kind: Event
    labels: Labels
    role: str
    status: str
    time: int | None


class Found(Struct, frozen=True):
    """The events of some lines, in their order, and how many lines could not be read."""

    events: list[StageEvent]
    bad: int


class _Kind(Struct, frozen=True):
    event: str | None = None


class _Line(Struct, frozen=True):
    event: str
    workflow_id: str | None = None
    task_id: str | None = None
    stage: str | None = None
    agent: str | None = None
    status: str | None = None
    timestamp: str | None = None
    started_at: str | None = None
    ended_at: str | None = None


_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_line = msgspec.json.Decoder(_Line).decode


def find_events(block: bytes, stage_of: Callable[[str], str]) -> Found:
    """The events in these lines. Lines that tell of no stage's start or end are passed over.

    ``stage_of`` says which stage an agent's type stands for, if any.
    """
    events: list[StageEvent] = []
    bad = 0
    for line in block.split(b"\n"):
        if line.strip():
            try:
                event = _event_of(line, stage_of)
            except (ValueError, OverflowError, RecursionError):
                bad += 1
            else:
                events += [event] if event else []
    return Found(events, bad)


def _event_of(line: bytes, stage_of: Callable[[str], str]) -> StageEvent | None:
    """The event in this line, None for another line; ValueError for one that can't be understood."""
    kind = KINDS.get(_decode_kind(line).event or "")
    if kind is None:
        return None
    found = _decode_line(line)
    role, task = id_of(found.agent), id_of(found.task_id)
    named = Labels(id_of(found.workflow_id), task, id_of(found.stage)).over(of_task(task))
    labels = named.over(Labels(stage=stage_of(role) or role))
    if not labels.stage or not (labels.workflow or labels.task):
        raise ValueError("it names no stage, or no work")
    stamp = (found.started_at if kind == "start" else found.ended_at) or found.timestamp
    said = found.status or "completed"
    status = said if kind == "end" and said in STATUSES else ""
    return StageEvent(kind, labels, role, status, _time_of(stamp, kind) if stamp else None)


def _time_of(stamp: str, kind: Event) -> int:
    """The time in ms; ValueError for none.

    What is told to the second began with it, and ended with its end: so what was asked in it is part of it.
    """
    time = ms_of(stamp)
    return time + LAST_OF_SECOND_MS if kind == "end" and not time % 1000 else time


def dated(events: Sequence[StageEvent], written: int, now: int) -> list[int]:
    """When each event was (ms), none after now; the file was ``written`` last then.

    One that does not say so was before the next one that does.
    """
    times: list[int] = []
    following = written
    for event in reversed(events):
        following = min(following if event.time is None else event.time, now)
        times.append(following)
    return times[::-1]


def are_known(events: Sequence[StageEvent], until: int) -> list[bool]:
    """Whether each event was there before the file was replaced, of which all up to a time (ms) are known.

    One without a time is as the one before it, the first ones as the first that has one.
    """
    last = next((event.time <= until for event in events if event.time is not None), False)
    known: list[bool] = []
    for event in events:
        last = last if event.time is None else event.time <= until
        known.append(last)
    return known


class Tokens(Struct, frozen=True):
    """The tokens of one line."""

    input: int
    output: int
    cache_read: int
    cache_creation: int


class MetricsLine(Struct, frozen=True):
    """A line about a stage, of one model; null is what is not known, or several.

    ``cost_usd`` is what is billed, ``value_usd`` the list price. ``span`` is one going through the stage:
    its lines bear the same duration.
    """

    timestamp: str
    workflow_id: str | None
    task_id: str | None
    stage: str | None
    agent: str | None
    model: str | None
    session_id: str | None
    tokens: Tokens
    cost_usd: float
    duration_seconds: int | None
    status: str | None
    value_usd: float
    span: str | None


def lines_of_span(span: SpanRecord, added: Sequence[Added], conversation: str) -> bytes:
    """The lines about a span that has ended, one for each model; one without a model when none was used."""
    seconds = (span.ended - span.started) // 1000
    task, stage = span.labels.task, span.labels.stage
    lines = [
        _line(
            each,
            span.ended,
            workflow_id=span.workflow or None,
            task_id=task or each.task or None,
            stage=stage,
            agent=span.role or each.role or None,
            session_id=span.conversation or conversation or None,
            duration_seconds=seconds,
            status=span.status or None,
            span=span.id,
        )
        for each in added or [NOTHING]
    ]
    return b"".join(lines)


def lines_of_workflow(workflow: WorkflowRecord, added: Sequence[Added], now: int) -> bytes:
    """The lines about what was added to a workflow that has ended, and belongs to no span of it."""
    lines = [
        _line(
            each,
            now,
            workflow_id=workflow.id,
            task_id=each.task or None,
            stage=each.stage or None,
            agent=each.role or None,
            session_id=None,
            duration_seconds=None,
            status=workflow.status or None,
            span=None,
        )
        for each in added
    ]
    return b"".join(lines)


NOTHING = Added("", "", "", "", Totals(), 0)


def _line(each: Added, time: int, **known: Any) -> bytes:
    totals = each.totals
    line = MetricsLine(
        timestamp=f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}",
        model=each.model or None,
        tokens=Tokens(
            input=totals.input,
            output=totals.output,
            cache_read=totals.cache_read,
            cache_creation=totals.cache_write_5m + totals.cache_write_1h,
        ),
        cost_usd=dollars(each.cost),
        value_usd=dollars(totals.value),
        **known,
    )
    return msgspec.json.encode(line) + b"\n"
