"""Follows who is at work: opens and ends the spans of agents and subagents, and times all of them."""

from collections.abc import Sequence

from msgspec.structs import replace

from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.pipeline import Outcome
from tollkeeper_daemon.store.schema import SpanRecord, WorkflowRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.workflows.marks import fits, is_marked
from tollkeeper_daemon.workflows.members import Gone, Member, Members, Who
from tollkeeper_daemon.workflows.spans import Key, Spans, key_of
from tollkeeper_daemon.workflows.timing import accounted, together

# A span whose end never comes is over when nothing was heard of it for so long.
FORGOTTEN_AFTER_MS = 30 * 60 * 1000
# Lines of a subagent may bear a time a little after it was told to be done.
LATE_LINES_MS = 5_000
# A subagent that was silent for longer may well be done, though it never said so.
FRESH_MS = 60_000


class Following:
    """Looks with every pulse, and whenever anything changes or was booked.

    An agent or a subagent at a marked stage is part of that span, and gets none of its own; so it is
    afterwards, until its labels are others.
    """

    def __init__(self, store: Store, spans: Spans, members: Members) -> None:
        self._store = store
        self._spans = spans
        self._members = members
        # Who needs no span of its own for these labels.
        self._settled: dict[Who, Labels] = {}
        # When workflows went on after their end (ms).
        self._anew: dict[str, int] = {}
        # When marked spans were last heard of (ms), and since when this daemon waits to hear.
        self._heard: dict[Key, int] = {}
        self._began = 0

    def begin(self, now: int) -> None:
        """What an earlier daemon left is read, and who lives is known: look from now on."""
        self._began = now
        for span in self._own():
            seen = self._members.of_span(span, now)
            if isinstance(seen, Gone):
                # Nobody saw it go: it did its work until it was last heard of.
                heard = max(seen.heard, span.started + accounted(span))
                status = "failed" if seen.is_stopped else ""
                self._spans.end(span, min(heard, seen.at), status)
        self.look(now)

    def look(self, now: int) -> None:
        """See who came, went, or turned to something else, and count the time since the last look."""
        if not self._began:
            return
        for span in self._own():
            self._look_at_own(span, now)
        members = self._members.all(now)
        self._open_own(members, now)
        marked = self._marked()
        self._heard = {key: at for span in marked if (at := self._heard.get(key := key_of(span)))}
        for span in marked:
            self._look_at_marked(span, members, now)
        self._spans.save_times(now)

    def charged(self, outcome: Outcome, now: int) -> None:
        """Requests were booked: the marked spans at whose stage they are live."""
        found = {Labels(book.workflow, book.task, book.stage) for book, _ in outcome.charged}
        for span in self._marked():
            if any(fits(span.labels, labels) for labels in found):
                self._heard[key_of(span)] = now

    def begin_anew(self, workflow: str, now: int) -> None:
        """A workflow goes on after its end: who is at a stage of it still is so from now on."""
        self._anew[workflow] = now
        self._settled = {
            who: labels for who, labels in self._settled.items() if labels.workflow != workflow
        }

    def _own(self) -> list[SpanRecord]:
        return [span for span in self._spans.open_spans() if not is_marked(span)]

    def _marked(self) -> list[SpanRecord]:
        return [span for span in self._spans.open_spans() if is_marked(span)]

    # Spans of agents and subagents.

    def _look_at_own(self, span: SpanRecord, now: int) -> None:
        seen = self._members.of_span(span, now)
        if seen is None:
            return
        if isinstance(seen, Gone):
            at = seen.heard if span.subagent else seen.at
            self._spans.end(span, at or now, "failed" if seen.is_stopped else "completed")
        elif seen.labels != span.labels:
            self._moved(span, seen, now)
        elif self._is_forgotten(span, seen, now):
            self._spans.end(span, seen.heard or span.started, presumed=True)
        else:
            self._spans.look(span, seen.doing, now)

    def _moved(self, span: SpanRecord, member: Member, now: int) -> None:
        """Its labels are others now; where they were others all along, the span was misnamed."""
        since = member.since(now)
        if since > span.started:
            self._spans.end(span, since, "completed" if member.has_stage else "")
        elif not member.has_stage or self._is_covered(member, since):
            self._spans.drop(span)
        else:
            labels = member.labels
            renamed = replace(span, workflow=labels.workflow, id=member.span_id, labels=labels)
            self._spans.begin(replace(renamed, before=Totals(), before_cost=0), [span])

    def _is_forgotten(self, span: SpanRecord, member: Member, now: int) -> bool:
        """Whether a subagent never said that it is done, and must be: its agent has long been idle."""
        waits_since = max(member.heard, self._began, span.started)
        is_silent = now - waits_since >= FORGOTTEN_AFTER_MS
        return bool(span.subagent) and member.doing != "worked" and is_silent

    def _open_own(self, members: Sequence[Member], now: int) -> None:
        """Open a span for each who is at a stage, and part of none."""
        have = {(span.agent, span.subagent) for span in self._own()}
        at_stages = {(each.agent, each.subagent): each for each in members if each.has_stage}
        self._settled = {who: each for who, each in self._settled.items() if who in at_stages}
        for who, member in at_stages.items():
            if who in have or self._settled.get(who) == member.labels:
                continue
            since = max(member.since(now), self._anew.get(member.labels.workflow, 0))
            if self._is_covered(member, since):
                self._settled[who] = member.labels
            elif not member.subagent or now - member.heard <= FRESH_MS:
                self._open(member, since, now)

    def _is_covered(self, member: Member, since: int) -> bool:
        """Whether a marked span was there since then (ms), or the workflow's end came after it."""
        workflow = member.labels.workflow

        def look_up(transaction: Transaction) -> tuple[WorkflowRecord | None, list[SpanRecord]]:
            work = transaction.work
            return work.workflow(workflow), [*filter(is_marked, work.spans_of(workflow))]

        known, marked = self._store.read(look_up)
        if known and known.ended and since <= known.ended:
            return True
        at_it = [span for span in marked if fits(span.labels, member.labels)]
        return any(not span.ended or span.ended >= since for span in at_it)

    def _open(self, member: Member, since: int, now: int) -> None:
        """Open a span; none for late lines of a subagent that was told to be done."""
        labels = member.labels
        before = [
            span.ended
            for span in self._spans.of_workflow(labels.workflow)
            if (span.agent, span.subagent) == (member.agent, member.subagent)
            and not is_marked(span)
        ]
        last = max(before, default=0)
        if member.subagent and last and member.heard <= last + LATE_LINES_MS:
            return
        span = self._spans.begin(
            SpanRecord(
                workflow=labels.workflow,
                id=member.span_id,
                labels=labels,
                role=member.role,
                started=max(since, last),
                conversation=member.conversation,
                agent=member.agent,
                subagent=member.subagent,
                folder=member.folder,
            ),
            is_again=bool(last),
        )
        self._spans.look(span, member.doing, now)

    # Spans of markers.

    def _look_at_marked(self, span: SpanRecord, members: Sequence[Member], now: int) -> None:
        key = key_of(span)
        at_it = [member for member in members if fits(span.labels, member.labels)]
        if at_it:
            self._heard[key] = now
        heard = self._heard.get(key, span.started + accounted(span))
        if now - max(heard, self._began) >= FORGOTTEN_AFTER_MS:
            self._spans.end(span, heard, presumed=True)
        else:
            self._spans.look(span, together(member.doing for member in at_it), now)
