"""Spans and workflows as the wire shows them. Pure."""

from typing import Any

from tollkeeper.model import Span
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.store.schema import SpanRecord, WorkflowRecord
from tollkeeper_daemon.tally import Tally


def workflow_view(workflow: WorkflowRecord) -> dict[str, Any]:
    """The workflow as its markers tell of it; the status is null while it lasts."""
    return {
        "workflow": workflow.id,
        "status": workflow.status or None,
        "started_at": iso(workflow.started),
        "ended_at": iso(workflow.ended) if workflow.ended else None,
        "path": workflow.path or None,
    }


def span_view(span: SpanRecord, used: Tally) -> Span:
    """The span as the wire shows it."""
    return Span(
        id=span.id,
        workflow=span.workflow or None,
        task=span.labels.task or None,
        stage=span.labels.stage or None,
        role=span.role or None,
        conversation=span.conversation or None,
        status=span.status or None,
        started_at=iso(span.started),
        ended_at=iso(span.ended) if span.ended else None,
        worked_seconds=span.worked / 1000,
        waited_seconds=span.waited / 1000,
        held_seconds=span.held / 1000,
        usage=used.usage(),
    )
