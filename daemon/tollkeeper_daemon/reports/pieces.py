"""Past pieces of work: what was changed in each, and what it came to. Pure."""

from collections.abc import Iterable

from tollkeeper.model import Piece
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.ledger.books import QUARTER_MS, SUBSCRIPTION
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.reports.changes import Changes
from tollkeeper_daemon.store.schema import SpanRecord, WorkflowRecord, WorkSum

NANO = 10**9


def is_under_way(
    workflow: WorkflowRecord | None, spans: Iterable[SpanRecord], stage: str | None
) -> bool:
    """Whether markers or agents say that the workflow, or this stage of it, is not over."""
    if stage is None and workflow and not workflow.ended:
        return True
    return any(not span.ended and stage in (None, span.labels.stage) for span in spans)


def piece_of(
    workflow: str, sums: Iterable[WorkSum], changes: Changes, stage: str | None
) -> Piece | None:
    """The workflow as a piece of work, or this stage of it; None when nothing was asked for it."""
    parts = [each for each in sums if stage in (None, each.stage)]
    total, billed = Totals(), Totals()
    for part in parts:
        total.add(part.totals)
        if part.source != SUBSCRIPTION:
            billed.add(part.totals)
    if total.requests <= 0:
        return None
    lines = changes.lines
    return Piece(
        workflow=workflow,
        last_used_at=iso(max(part.last for part in parts) * QUARTER_MS),
        files=len(changes.files),
        lines=None if lines is None else round(lines),
        turns=total.requests,
        tokens=total.tokens,
        cost_usd=billed.value / NANO,
        value_usd=total.value / NANO,
        unpriced_requests=total.unpriced,
    )
