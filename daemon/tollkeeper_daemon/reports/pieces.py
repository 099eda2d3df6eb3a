"""Past pieces of work: what was changed in each, and what it came to. Pure."""

from collections.abc import Iterable

from tollkeeper.model import Piece
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.ledger.books import QUARTER_MS
from tollkeeper_daemon.reports.changes import Changes
from tollkeeper_daemon.store.schema import SpanRecord, WorkflowRecord, WorkInBrief
from tollkeeper_daemon.tally import dollars


def is_under_way(
    workflow: WorkflowRecord | None, spans: Iterable[SpanRecord], stage: str | None
) -> bool:
    """Whether markers or agents say that the workflow, or this stage of it, is not over."""
    if stage is None and workflow and not workflow.ended:
        return True
    return any(not span.ended and stage in (None, span.labels.stage) for span in spans)


def piece_of(work: WorkInBrief, changes: Changes, stage: str | None) -> Piece | None:
    """The workflow as a piece of work, or this stage of it; None when nothing was asked for it."""
    parts = [each for each in work.briefs if stage in (None, each.stage)]
    turns = sum(each.requests for each in parts)
    if turns <= 0:
        return None
    return Piece(
        workflow=work.workflow,
        last_used_at=iso(max(each.last for each in parts) * QUARTER_MS),
        files=len(changes.files),
        lines=None if changes.lines is None else round(changes.lines),
        turns=turns,
        tokens=sum(each.tokens for each in parts),
        cost_usd=dollars(sum(each.cost for each in parts)),
        value_usd=dollars(sum(each.value for each in parts)),
        unpriced_requests=sum(each.unpriced for each in parts),
    )
