"""Reckons spans and workflows that have ended: what is to be written about them, saved as one with it."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.config import Config
from tollkeeper_daemon.exchange import beads, metrics
from tollkeeper_daemon.exchange.metrics_file import path_in, size_of
from tollkeeper_daemon.exchange.reckoning import (
    Added,
    by_model,
    by_part,
    news,
    share_of,
    with_added,
    with_reckoned,
)
from tollkeeper_daemon.ledger.books import quarter
from tollkeeper_daemon.sources.projects import project_of
from tollkeeper_daemon.store.errands import Ended, PendingComment
from tollkeeper_daemon.store.schema import SpanRecord, WorkSum
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.workflows.spans import Spans
from tollkeeper_daemon.workflows.used import conversations_of

# By then the last lines of a stage are in its logs.
SETTLES_AFTER_MS = 2_000
# What ended longer ago, while daemons ran, is history, which nobody waits to read of.
FRESH_MS = 24 * 3600 * 1000
# Each is saved by itself, which takes its time; what is left follows with the next pulse.
MOST_AT_ONCE = 50
# Over so many quarters of an hour it is looked whether a span is of one conversation: a day.
MOST_QUARTERS = 96


class Place(Struct, frozen=True):
    """The file in which lines are written, and how many bytes it has."""

    path: str
    size: int


class Reckoner:
    """Looks with each pulse for what has ended, a moment after it did.

    ``settings`` are those in force now, and ``up_since`` is when the daemon came up (ms).
    """

    def __init__(
        self, store: Store, spans: Spans, settings: Callable[[], Config], up_since: int
    ) -> None:
        self._store = store
        self._spans = spans
        self._settings = settings
        self._up_since = up_since
        # When the daemon before was last alive (ms).
        self._down_since = int(store.last_saved * 1000) or up_since
        # When what has ended was first seen here (ms).
        self._seen: dict[Ended, int] = {}

    def look(self, now: int) -> None:
        """Reckon what ended a moment ago: first the spans, then workflows of which none is left."""
        ended = self._store.read(_ended)
        self._seen = {each: self._seen.get(each, now) for each in ended}
        due = [each for each in ended if not 0 <= now - self._seen[each] < SETTLES_AFTER_MS]
        spans = [each for each in due if each.span][:MOST_AT_ONCE]
        for each in spans:
            self._reckon_span(each, now)
        waiting = {each.workflow for each in ended if each.span and each not in spans}
        for each in due:
            if not each.span and each.workflow not in waiting:
                self._reckon_workflow(each, now)

    # Spans.

    def _reckon_span(self, ended: Ended, now: int) -> None:
        folder = self._store.read(lambda transaction: _folder(ended, transaction))
        place = self._place(folder)

        def work(transaction: Transaction) -> None:
            transaction.errands.drop_ended(ended)
            if span := _span(ended, transaction):
                added = self._save_share(span, transaction)
                if not self._is_history(span, now):
                    if place:
                        lines = metrics.lines_of_span(
                            span, added, _conversation_of(span, transaction)
                        )
                        transaction.errands.add_lines(place.path, place.size, lines, now)
                    if self._settings().beads.comment:
                        _comment_on(span, folder, added, now, transaction)

        self._store.write(work)

    def _is_history(self, span: SpanRecord, now: int) -> bool:
        now = self._down_since if span.ended < self._up_since else now
        return now - span.ended >= FRESH_MS

    def _place(self, folder: str) -> Place | None:
        """Where lines of the project in this folder are written, if at all."""
        if not folder or not self._settings().workflow.writes_metrics(folder):
            return None
        path = path_in(project_of(folder))
        return Place(path, size_of(path))

    def _save_share(self, span: SpanRecord, transaction: Transaction) -> list[Added]:
        told = self._take_share(span, transaction)
        added = by_model(told, lambda each: _role_of(each, transaction))
        transaction.work.save_span(replace(span, reported=with_added(span.reported, added)))
        return added

    def _take_share(self, span: SpanRecord, transaction: Transaction) -> list[WorkSum]:
        """What was added by the span, which counts as reckoned from now on."""
        work, errands = transaction.work, transaction.errands
        sums, reckoned = work.sums_of(span.workflow), errands.reckoned_of(span.workflow)
        told = share_of(span, self._others(span, transaction), news(sums, reckoned))
        errands.save_reckoned(span.workflow, with_reckoned(reckoned, sums, told))
        return told

    def _others(self, span: SpanRecord, transaction: Transaction) -> list[SpanRecord]:
        """The other spans of the workflow that last, or wait to be reckoned."""
        lasting = [each for each in self._spans.open_spans() if each.workflow == span.workflow]
        waiting = [
            other
            for each in transaction.errands.ended()
            if each.workflow == span.workflow and (other := _span(each, transaction))
        ]
        return [each for each in (*lasting, *waiting) if each.id != span.id]

    # Workflows.

    def _reckon_workflow(self, ended: Ended, now: int) -> None:
        place = self._place(self._store.read(lambda transaction: _folder(ended, transaction)))

        def work(transaction: Transaction) -> None:
            transaction.errands.drop_ended(ended)
            workflow = transaction.work.workflow(ended.workflow)
            sums = transaction.work.sums_of(ended.workflow)
            told = news(sums, transaction.errands.reckoned_of(ended.workflow))
            transaction.errands.save_reckoned(ended.workflow, sums)
            if workflow and told and place:
                added = by_part(told, lambda each: _role_of(each, transaction))
                lines = metrics.lines_of_workflow(workflow, added, now)
                transaction.errands.add_lines(place.path, place.size, lines, now)

        self._store.write(work)


def _ended(transaction: Transaction) -> list[Ended]:
    return transaction.errands.ended()


def _span(ended: Ended, transaction: Transaction) -> SpanRecord | None:
    return transaction.work.span(ended.workflow, ended.span) if ended.span else None


def _folder(ended: Ended, transaction: Transaction) -> str:
    """Where the work was done, as far as that is known: of a span, its workflow, or its latest span."""
    span, workflow = _span(ended, transaction), transaction.work.workflow(ended.workflow)
    known = (span.folder if span else "") or (workflow.folder if workflow else "")
    if known or not ended.workflow:
        return known
    spans = reversed(transaction.work.spans_of(ended.workflow))
    return next((each.folder for each in spans if each.folder), "")


def _comment_on(
    span: SpanRecord, folder: str, added: Sequence[Added], now: int, transaction: Transaction
) -> None:
    """Let the span's task have a comment, unless it has one, or is about to."""
    if span.commented or not folder or not beads.is_task(span.labels.task):
        return
    if transaction.errands.comment(span.workflow, span.id):
        return
    marker = beads.marker_of(span)
    transaction.errands.save_comment(
        PendingComment(
            workflow=span.workflow,
            span=span.id,
            task=span.labels.task,
            folder=folder,
            marker=marker,
            text=beads.text_of(span, added, marker, now),
            since=now,
        )
    )


def _role_of(each: WorkSum, transaction: Transaction) -> str:
    """Who did a part of the work: the helper's type, else the agent's name."""
    if each.subagent_type or not each.agent:
        return each.subagent_type
    agent = transaction.agent(each.agent)
    return agent.name if agent else ""


def _conversation_of(span: SpanRecord, transaction: Transaction) -> str:
    """The conversation in which all of it was done, if it was one."""
    if span.conversation or quarter(span.ended) - quarter(span.started) > MOST_QUARTERS:
        return span.conversation
    found = conversations_of(span, transaction)
    return found.pop() if len(found) == 1 else ""
