"""What is commented on tasks of Beads, and what bd's answers mean."""

import json
from typing import Any

import pytest

from tollkeeper_daemon.exchange.beads import (
    commented_on,
    is_commented,
    is_not_found,
    is_task,
    issue_in,
    marker_of,
    stage_in,
    text_of,
)
from tollkeeper_daemon.exchange.reckoning import Added
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.outlets.bd import BdError
from tollkeeper_daemon.store.schema import SpanRecord

from .lines import NINE_MS

TASK = ".claude-4nq.1-analyze"
SPAN = SpanRecord(
    ".claude-4nq", "m:1", Labels(".claude-4nq", TASK, "analyze"), "analyst",
    NINE_MS, NINE_MS + 127_000, "completed",
)  # fmt: skip
TOTALS = Totals(4, 1, 12_450, 3_201, 45_600, 300, 200, 0, 245_000_000)


def added(model: str = "claude-opus-4-5", cost: int = 245_000_000, **more: int) -> Added:
    """What was used of a model."""
    totals = Totals(**{name: getattr(TOTALS, name) for name in Totals.__struct_fields__} | more)
    return Added(TASK, "analyze", "analyst", model, totals, cost)


def test_comment() -> None:
    """It says what the stage used, what that cost and how long it took, and ends with its marker."""
    text = text_of(SPAN, [added()], marker_of(SPAN), NINE_MS + 130_000)
    assert text == (
        "## Token Usage Metrics\n"
        "\n"
        "- **Stage**: analyze\n"
        "- **Agent**: analyst\n"
        "- **Status**: completed\n"
        "- **Input tokens**: 12,450\n"
        "- **Output tokens**: 3,201\n"
        "- **Cache read**: 45,600\n"
        "- **Cache write**: 500\n"
        "- **Cost**: $0.2450\n"
        "- **Duration**: 2m 07s\n"
        "- **Model**: opus-4-5\n"
        "\n"
        "Generated: 2026-11-22 09:02:10 UTC\n"
        "\n"
        "Tollkeeper span m:1 of .claude-4nq, 2026-11-22T09:00:00.000+00:00\n"
    )


def test_comment_on_a_subscriptions_work() -> None:
    """What is not billed costs nothing, and has a list price; a guess is marked; models are named once."""
    lots = [added(cost=0, unpriced=1), added("claude-haiku-5-5", cost=0), added(cost=0)]
    lines = text_of(SPAN, lots, marker_of(SPAN), NINE_MS).splitlines()
    assert "- **Cost**: ~$0.00" in lines
    assert "- **List price**: $0.7350" in lines
    assert "- **Model**: haiku-5-5, opus-4-5" in lines


def test_comment_on_nothing() -> None:
    """A stage that used nothing is told so, and by whom is left out when nobody knows."""
    span = SpanRecord("", "m:1", Labels("", "fix-it", "plan"), "", NINE_MS, NINE_MS + 1)
    text = text_of(span, [], marker_of(span), NINE_MS)
    assert "- **Input tokens**: 0\n" in text
    assert "Agent" not in text
    assert "Model" not in text
    assert "span m:1 of fix-it, " in text


@pytest.mark.parametrize("task", [TASK, "bd-4nq", "bd-4nq.1.2", "é-1"])
def test_tasks(task: str) -> None:
    """Whatever may be an issue's id is asked for."""
    assert is_task(task)


@pytest.mark.parametrize("task", ["", "--help", "-f", "two words", "a\nb", "a\x00", "x" * 201])
def test_no_tasks(task: str) -> None:
    """What would be something else on a command line is not."""
    assert not is_task(task)


def wrapped(answer: list[dict[str, Any]] | dict[str, Any]) -> list[bytes]:
    """The answer as bd may give it."""
    inside = {"items": answer} if isinstance(answer, list) else answer
    forms: list[Any] = [
        answer,
        {"schema_version": 1, **inside},
        {"schema_version": 1, "data": answer},
    ]
    return [json.dumps(each).encode() for each in forms]


@pytest.mark.parametrize("form", [0, 1, 2], ids=["bare", "versioned", "envelope"])
def test_answers(form: int) -> None:
    """Every form of an answer is understood."""
    issue: dict[str, Any] = {"id": TASK, "title": "x", "labels": ["urgent", "stage:analyze"]}
    found = issue_in(wrapped([issue])[form], TASK)
    assert found and "analyze" == stage_in(found)
    marker = marker_of(SPAN)
    comment = {"id": 7, "issue_id": TASK, "text": f"## x\r\n\r\n{marker}\r\n"}
    assert is_commented(wrapped([comment])[form], TASK, marker)
    assert TASK == commented_on(wrapped(comment)[form])


def test_answers_about_one_thing() -> None:
    """A single issue may come without a list, and no comments as null."""
    assert issue_in(b'{"id": "bd-1", "labels": null}', "bd-1")
    assert not is_commented(b"null", "bd-1", "x")
    assert not is_commented(b'{"schema_version": 1, "data": null}', "bd-1", "x")


def test_exact_ids() -> None:
    """bd resolves parts of ids: an issue that was not meant is none, nor are its comments."""
    answer = json.dumps([{"id": "bd-4nq.1"}, {"id": "bd-4nq.11"}]).encode()
    assert issue_in(answer, "bd-4nq") is None
    assert issue_in(answer, "bd-4nq.11")
    other = json.dumps([{"issue_id": "bd-4nq.1", "text": "marker"}]).encode()
    assert not is_commented(other, "bd-4nq", "marker")


def test_markers_are_whole_lines() -> None:
    """A span whose id begins with another's is another."""
    first, tenth = SPAN, SpanRecord(SPAN.workflow, "m:10", SPAN.labels, "", NINE_MS)
    text = text_of(tenth, [], marker_of(tenth), NINE_MS)
    answer = json.dumps([{"issue_id": TASK, "text": text}]).encode()
    assert not is_commented(answer, TASK, marker_of(first))
    assert is_commented(answer, TASK, marker_of(tenth))


@pytest.mark.parametrize(
    "answer",
    [b"", b"Error", b"7", b'"x"', b'[{"title": "x"}]', b'{"error": "busy"}', b"\xff", b"[" * 5_000],
)
def test_answers_that_are_none(answer: bytes) -> None:
    """What is not understood is neither yes nor no."""
    with pytest.raises(BdError):
        issue_in(answer, TASK)
    with pytest.raises(BdError):
        is_commented(answer, TASK, "x")
    with pytest.raises(BdError):
        commented_on(answer)


def test_no_such_issue() -> None:
    """bd says so in JSON; whatever else went wrong is no answer to that."""
    assert is_not_found(b'{"error":"no issues found matching the provided IDs"}\n')
    for other in (b'{"error":"database is locked"}', b"", b"[]", b'{"error":7}'):
        assert not is_not_found(other)


def test_labels_that_name_no_stage() -> None:
    """An issue may have no labels, or others."""
    for labels in (None, [], ["stage:"], ["backstage:left"]):
        issue = issue_in(json.dumps([{"id": "bd-1", "labels": labels}]).encode(), "bd-1")
        assert issue and "" == stage_in(issue)
