"""Follows who is at work: opens and ends the spans of agents and subagents, and times all of them."""

from collections.abc import Sequence

from msgspec.structs import replace

from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.pipeline import Outcome
from tollkeeper_daemon.store.schema import SpanRecord, WorkflowRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.marks import fits, is_marked
from tollkeeper_daemon.workflows.members import Gone, Member, Members, Who
from tollkeeper_daemon.workflows.spans import Key, Spans, key_of
from tollkeeper_daemon.workflows.timing import accounted, together

# A span whose end never comes is over when nothing was heard of it for so long.
FORGOTTEN_AFTER_MS = 30 * 60 * 1000
# The last lines of who is gone may be on their way: until they are read it is not told what it has used.
SETTLED_AFTER_MS = 1_000
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
        # Since when those who did the work of open spans are known to be gone (ms).
        self._gone: dict[Key, int] = {}
        # When marked spans were last heard of (ms), and since when this daemon waits to hear.
        self._heard: dict[Key, int] = {}
        self._came_up = self._began = 0

    def restore(self, now: int) -> None:
        """Take up the spans that an earlier daemon left open, before it is looked who lives."""
        self._came_up = now
        self._spans.restore()

    def begin(self, now: int) -> None:
        """What an earlier daemon left is read, and who lives is known: look from now on."""
        self._began = now
        for span in self._own():
            seen = self._members.of_span(span, now)
            if isinstance(seen, Gone) and seen.exited >= self._came_up:
                # Nobody saw it go: it did its work until it was last heard of.
                heard = max(seen.heard, span.started + accounted(span))
                status = "failed" if seen.is_stopped else ""
                self._spans.end(span, min(heard, seen.exited), status)
        self.look(now)

    def settle(self, now: int, workflow: str | None = None) -> None:
        """End the spans of all who are gone, of one workflow or of all, without waiting for their last lines."""
        for span in self._own():
            if workflow not in (None, span.workflow):
                continue
            seen = self._members.of_span(span, now)
            if isinstance(seen, Gone):
                self._over(span, seen)

    def look(self, now: int) -> None:
        """See who came, went, or turned to something else, and count the time since the last look."""
        if not self._began:
            return
        own = self._own()
        self._gone = {key: at for span in own if (at := self._gone.get(key := key_of(span)))}
        for span in own:
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
            if key_of(span) not in self._gone and span.subagent and seen.heard:
                self._spans.hears(span, seen.heard)
            since = self._gone.setdefault(key_of(span), now)
            if 0 <= now - since < SETTLED_AFTER_MS:
                self._spans.look(span, None, now)
            else:
                self._over(span, seen)
            return
        if self._gone.pop(key_of(span), None):
            self._spans.hears(span, 0)
        if seen.labels != span.labels:
            self._moved(span, seen, now)
        elif self._is_forgotten(span, seen, now):
            self._spans.end(span, seen.heard or span.heard or span.started, presumed=True)
        else:
            self._spans.look(span, seen.doing, now)

    def _over(self, span: SpanRecord, seen: Gone) -> None:
        """Whoever did its work is gone: a subagent since it was last heard of, an agent since its exit."""
        since = self._gone.pop(key_of(span), seen.exited)
        at = (seen.heard or span.heard or since) if span.subagent else seen.exited
        self._spans.end(span, at, "failed" if seen.is_stopped else "completed")

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
        self._settled = {
            who: labels
            for who, labels in self._settled.items()
            if who in at_stages and at_stages[who].labels == labels
        }
        for who, member in at_stages.items():
            if who in have or who in self._settled:
                continue
            since = max(member.since(now), self._anew.get(member.labels.workflow, 0))
            if not member.subagent or now - member.heard <= FRESH_MS:
                self._open(who, member, since, now)

    def _is_covered(self, member: Member, since: int) -> bool:
        """Whether a marked span was there since then (ms), or the workflow's end came after it."""
        return is_covered(*self._past(member), member.labels, since)

    def _past(self, member: Member) -> tuple[WorkflowRecord | None, tuple[SpanRecord, ...]]:
        """What was saved of the workflow; of a task of none, its spans and the agent's own."""
        workflow, task = member.labels.workflow, member.labels.task
        if workflow:
            return self._store.read(
                lambda t: (t.work.workflow(workflow), t.work.spans_of(workflow))
            )
        return None, self._store.read(lambda t: t.work.spans_naming("", task, member.agent))

    def _open(self, who: Who, member: Member, since: int, now: int) -> None:
        """Open a span, unless it is part of a marked one; none for late lines of a subagent that is done."""
        labels = member.labels
        known, past = self._past(member)
        if is_covered(known, past, labels, since):
            self._settled[who] = labels
            return
        own = (span for span in past if not is_marked(span) and who == (span.agent, span.subagent))
        last = max((span.ended for span in own), default=0)
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


def is_covered(
    known: WorkflowRecord | None, past: Sequence[SpanRecord], labels: Labels, since: int
) -> bool:
    """Whether who is at this stage since then (ms) needs no span of its own.

    A marked span was there since then, or the workflow's end came after it.
    """
    if known and known.ended and since <= known.ended:
        return True
    at_it = (span for span in past if is_marked(span) and fits(span.labels, labels))
    return any(not span.ended or span.ended >= since for span in at_it)
