"""Comments on tasks of Beads (``bd``): what they say, and what bd's answers mean. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from tollkeeper.cli import words
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.exchange.reckoning import Added
from tollkeeper_daemon.labels.task_ids import LONGEST_ID
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.names import id_of
from tollkeeper_daemon.outlets.bd import BdError
from tollkeeper_daemon.outlets.children import LONGEST_WORDS
from tollkeeper_daemon.store.schema import SpanRecord

STAGE_LABEL = "stage:"
NOT_FOUND = "no issues found"


class Issue(Struct, frozen=True):
    """An issue, as far as we look at it."""

    id: str
    labels: list[str] | None = None


class Comment(Struct, frozen=True):
    """A comment on an issue."""

    issue_id: str
    text: str


class _Refusal(Struct, frozen=True):
    error: str = ""


K = TypeVar("K", Issue, Comment)
Answered = list[Any] | dict[str, Any] | None

# What is said.


def is_task(task: str) -> bool:
    """Whether this may be the id of an issue, and can be nothing else on a command line."""
    is_word = task.isprintable() and " " not in task
    return 0 < len(task) <= LONGEST_ID and is_word and not task.startswith("-")


def marker_of(span: SpanRecord) -> str:
    """The line by which the comment about this span is known again."""
    work = span.workflow or span.labels.task
    return words.plain(f"Tollkeeper span {span.id} of {work}, {iso(span.started)}")


def text_of(span: SpanRecord, added: Sequence[Added], marker: str, now: int) -> str:
    """The comment about a span that has ended."""
    totals, cost = Totals(), 0
    for each in added:
        totals.add(each.totals)
        cost += each.cost
    rows = {
        "Stage": span.labels.stage,
        "Agent": span.role,
        "Status": span.status,
        "Input tokens": f"{totals.input:,}",
        "Output tokens": f"{totals.output:,}",
        "Cache read": f"{totals.cache_read:,}",
        "Cache write": f"{totals.cache_write_5m + totals.cache_write_1h:,}",
        "Cost": words.money(cost / 1e9, guessed=totals.unpriced > 0),
        "List price": words.money(totals.value / 1e9) if cost != totals.value else "",
        "Duration": words.span((span.ended - span.started) / 1000),
        "Model": ", ".join(sorted({words.model_name(each.model) for each in added if each.model})),
    }
    table = [f"- **{name}**: {words.plain(value)}" for name, value in rows.items() if value]
    generated = f"{datetime.fromtimestamp(now / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return "\n".join(
        ["## Token Usage Metrics", "", *table, "", f"Generated: {generated}", "", marker, ""]
    )


# What is answered.


def issue_in(answer: bytes, task: str) -> Issue | None:
    """The issue with exactly this id, which bd was asked to list; None when there is none."""
    found = [each for each in _list_in(answer, Issue) if each.id == task]
    return found[0] if found else None


def is_commented(answer: bytes, task: str, marker: str) -> bool:
    """Whether the comments that bd lists of a task hold the one with this marker."""
    own = [each for each in _list_in(answer, Comment) if each.issue_id == task]
    return any(marker in map(str.strip, each.text.splitlines()) for each in own)


def commented_on(answer: bytes) -> str:
    """The id of the issue that bd says it has put a comment on."""
    found = _list_in(answer, Comment)
    if len(found) != 1:
        raise BdError("what bd answers is not one comment")
    return found[0].issue_id


def is_not_found(answer: bytes) -> bool:
    """Whether bd says that there is no such issue."""
    try:
        found = msgspec.json.decode(answer, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return NOT_FOUND in found.error


def stage_in(issue: Issue) -> str:
    """The stage that a label of the issue names, if any."""
    labels = issue.labels or []
    return id_of(
        next((each.removeprefix(STAGE_LABEL) for each in labels if _names_stage(each)), "")
    )


def _names_stage(label: str) -> bool:
    return label.startswith(STAGE_LABEL) and label != STAGE_LABEL


def _list_in(answer: bytes, kind: type[K]) -> list[K]:
    """What bd answers, as a list: it may be one, or one thing alone, or either in an envelope."""
    try:
        found = _without_envelope(msgspec.json.decode(answer, type=Answered))
        things = found if isinstance(found, list) else [found] if found else []
        return msgspec.convert(things, list[kind])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BdError("what bd answers is not understood") from None


def _without_envelope(found: Answered) -> Answered:
    if not isinstance(found, dict):
        return found
    if "error" in found:
        raise BdError(f"bd says {words.plain(str(found['error']))[:LONGEST_WORDS]}")
    inner = [value for key, value in found.items() if key != "schema_version"]
    is_envelope = "data" in found or (len(inner) == 1 and isinstance(inner[0], list))
    return msgspec.convert(found.get("data", inner[0]), Answered) if is_envelope else found
