"""The lines of workflow-metrics.jsonl: what others' events say, and what ours do."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.exchange.metrics import (
    StageEvent,
    are_known,
    dated,
    find_events,
    lines_of_span,
    lines_of_workflow,
)
from tollkeeper_daemon.exchange.reckoning import Added
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.schema import SpanRecord, WorkflowRecord

from .lines import NINE_MS

TASK = ".claude-4nq.1-analyze"
LABELS = Labels(".claude-4nq", TASK, "analyze")
STAGES = {"analyst": "analyze"}
NINE = "2026-12-01T09:00:00Z"


def line(**fields: Any) -> bytes:
    """A line as orchestrators append it."""
    return json.dumps(fields).encode() + b"\n"


def found(*lines: bytes) -> tuple[list[StageEvent], int]:
    """The events of these lines, and how many could not be read."""
    events = find_events(b"".join(lines), lambda kind: STAGES.get(kind, ""))
    return events.events, events.bad


def test_events() -> None:
    """A start names its task and time, an end its task alone: the task's id tells the rest."""
    events, bad = found(
        line(event="stage_start", task_id=TASK, started_at=NINE),
        line(event="stage_end", task_id=TASK, tokens={"input": 1}),
    )
    start, end = events
    assert (StageEvent("start", LABELS, "", "", start.time), 0) == (start, bad)
    assert StageEvent("end", LABELS, "", "completed", None) == end


@pytest.mark.parametrize(
    ("fields", "labels"),
    [
        ({"workflow_id": "w-1", "stage": "plan"}, Labels("w-1", "", "plan")),
        ({"task_id": TASK, "stage": "again"}, Labels(".claude-4nq", TASK, "again")),
        ({"task_id": "bd-4nq.2", "agent": "analyst"}, Labels("bd-4nq", "bd-4nq.2", "analyze")),
        ({"task_id": "bd-4nq.2", "agent": "cook"}, Labels("bd-4nq", "bd-4nq.2", "cook")),
    ],
)
def test_labels_of_events(fields: dict[str, Any], labels: Labels) -> None:
    """What is said goes before what the id tells, and an agent's type stands for a stage."""
    [event], _ = found(line(event="stage_start", **fields))
    assert labels == event.labels


def test_times_of_events() -> None:
    """A time to the second is its first moment for a start, its last for an end; without a zone it is UTC."""
    events, _ = found(
        line(event="stage_start", task_id=TASK, timestamp=NINE),
        line(event="stage_end", task_id=TASK, timestamp=NINE),
        line(event="stage_end", task_id=TASK, ended_at="2026-12-01T10:00:00.250+01:00"),
        line(event="stage_start", task_id=TASK, started_at="2026-12-01T09:00:00.5", timestamp="x"),
    )
    first = events[0].time or 0
    assert [0, 999, 250, 500] == [(event.time or 0) - first for event in events]


def test_failed_stage() -> None:
    """An end says how it ended; a word that is none of ours is none."""
    events, _ = found(
        line(event="stage_end", task_id=TASK, status="failed"),
        line(event="stage_end", task_id=TASK, status="blocked"),
    )
    assert ["failed", ""] == [event.status for event in events]


def test_other_lines() -> None:
    """Lines that are no events, ours among them, are passed over without a word."""
    own = lines_of_span(SPAN, [ADDED], "")
    assert ([], 0) == found(own, line(note=1), line(event="coffee", task_id=5), b"\n", b"  \n")


@pytest.mark.parametrize(
    "bad",
    [
        b"{\n",
        b"[1]\n",
        b"\xff\xfe\n",
        b'{"event":7}\n',
        line(event="stage_start"),
        line(event="stage_start", task_id="JIRA-12"),
        line(event="stage_start", task_id=7),
        line(event="stage_start", task_id=TASK, started_at="yesterday"),
        line(event="stage_start", task_id=TASK, started_at=7),
        b"[" * 20_000 + b"\n",
    ],
)
def test_bad_lines(bad: bytes) -> None:
    """A line that can't be understood is counted, and those beside it are not lost."""
    good = line(event="stage_start", task_id=TASK)
    events, count = found(good, bad, good)
    assert (2, 1) == (len(events), count)


@given(st.binary(max_size=300))
def test_anything(block: bytes) -> None:
    """Whatever stands there, it is read to its end."""
    _, bad = found(block, b"\n")
    assert bad <= block.count(b"\n") + 1


def event(time: int | None) -> StageEvent:
    """An event that says when it was, or does not."""
    return StageEvent("start", LABELS, "", "", time)


def test_events_without_a_time() -> None:
    """They were before the next one with a time, the last ones when the file was written; none is ahead."""
    events = [event(None), event(10), event(None), event(None), event(30), event(99), event(None)]
    assert [10, 10, 30, 30, 30, 60, 50] == dated(events, written=50, now=60)
    assert [60] == dated([event(None)], written=80, now=60)


def test_known_events() -> None:
    """In a file that was replaced all up to a time are known; one without a time is as the one before it."""
    events = [event(None), event(10), event(20), event(None), event(21), event(None)]
    assert [True, True, True, True, False, False] == are_known(events, until=20)
    assert not any(are_known(events, until=0))


SPAN = SpanRecord(
    ".claude-4nq", "m:1", LABELS, "analyst", NINE_MS, NINE_MS + 127_900, "completed",
    conversation="abc123",
)  # fmt: skip
TOTALS = Totals(4, 1, 12_450, 3_201, 45_600, 300, 200, 0, 245_000_000)
ADDED = Added(TASK, "analyze", "analyst", "claude-opus-4-5-20251101", TOTALS, 145_000_000)


def test_line_of_a_span() -> None:
    """It says who did what in which span, for how long and for how much, billed and at list price."""
    text = lines_of_span(SPAN, [ADDED], "").decode()
    assert text.endswith("\n")
    assert {
        "timestamp": "2026-11-22T09:02:07Z",
        "workflow_id": ".claude-4nq",
        "task_id": TASK,
        "stage": "analyze",
        "agent": "analyst",
        "model": "claude-opus-4-5-20251101",
        "session_id": "abc123",
        "tokens": {"input": 12450, "output": 3201, "cache_read": 45600, "cache_creation": 500},
        "cost_usd": 0.145,
        "duration_seconds": 127,
        "status": "completed",
        "value_usd": 0.245,
        "span": "m:1",
    } == json.loads(text)


def test_lines_of_several_models() -> None:
    """Each model has a line; where none was used there is one without a model."""
    haiku = Added(TASK, "analyze", "analyst", "claude-haiku-5-5", Totals(output=1), 0)
    lines = lines_of_span(SPAN, [haiku, ADDED], "").splitlines()
    assert ["claude-haiku-5-5", ADDED.model] == [json.loads(each)["model"] for each in lines]
    [line] = lines_of_span(SPAN, [], "").splitlines()
    assert (None, 0.0, 127) == tuple(
        json.loads(line)[name] for name in ("model", "cost_usd", "duration_seconds")
    )


def test_what_a_line_does_not_know() -> None:
    """What nobody told is null; who and where are those of all that was used, if they are one."""
    bare = SpanRecord("", "m:1", Labels("", "fix", "plan"), "", NINE_MS, NINE_MS + 1)
    line = json.loads(lines_of_span(bare, [ADDED], "conv-1"))
    assert (None, "fix", "plan", "analyst", "conv-1", None) == tuple(
        line[name] for name in ("workflow_id", "task_id", "stage", "agent", "session_id", "status")
    )


def test_lines_of_a_workflow() -> None:
    """What came after the stages' lines is told of the workflow, without a span."""
    workflow = WorkflowRecord("w-1", NINE_MS, NINE_MS + 5, status="failed")
    added = Added("", "", "Ada", "claude-haiku-5-5", Totals(output=-3), 0)
    line = json.loads(lines_of_workflow(workflow, [added], NINE_MS))
    assert ("w-1", None, None, "Ada", "failed", None, None) == tuple(
        line[name]
        for name in (
            "workflow_id", "task_id", "stage", "agent", "status", "span", "duration_seconds",
        )
    )  # fmt: skip
    assert -3 == line["tokens"]["output"]
