"""The spans of work: opened, timed, closed, saved before anybody is told, and taken up again.

A span is saved as soon as it opens or ends, and each has one place in the store: so a daemon that is
killed loses none, and the next one makes no second one of it. Only its running times are saved later.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from tollkeeper_daemon.store.errands import Ended
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.workflows.marks import MARKED, Event, Mark, fits, free_id, is_marked
from tollkeeper_daemon.workflows.timing import Doing, Look, closed, counted
from tollkeeper_daemon.workflows.used import with_before

SAVED_EVERY_MS = 10_000

Key = tuple[str, str]
"""The workflow, and the span's id in it."""

Listener = Callable[[SpanRecord], None]

Also = Callable[[Transaction], None]
"""What else is saved in a transaction."""


def nothing(transaction: Transaction) -> None:
    """Nothing else is saved."""


class Spans:
    """All spans that last. ``on_started`` and ``on_ended`` are told of each, once it is saved.

    ``attempt`` calls a listener, so that one that fails costs nothing else.
    """

    def __init__(self, store: Store, attempt: Callable[..., object]) -> None:
        self._attempt = attempt
        self.on_started: list[Listener] = []
        self.on_ended: list[Listener] = []
        self._store = store
        self._open: dict[Key, SpanRecord] = {}
        self._looks: dict[Key, Look] = {}
        self._unsaved: set[Key] = set()
        self._saved_at = 0

    def restore(self) -> None:
        """Take up the spans that an earlier daemon left open."""
        found = self._store.read(
            lambda t: [span for spans in t.work.spans() for span in spans if not span.ended]
        )
        self._open = {key_of(span): span for span in found}

    def open_spans(self) -> tuple[SpanRecord, ...]:
        """The spans that last, in the order in which they began here."""
        return tuple(self._open.values())

    def of_workflow(self, workflow: str) -> tuple[SpanRecord, ...]:
        """All spans of this workflow, those that last with their times up to the last look."""
        saved = self._store.read(lambda transaction: transaction.work.spans_of(workflow))
        return tuple(self._open.get(key_of(span), span) for span in saved)

    def mark(
        self, mark: Mark, event: Event, now: int, status: str = "", also: Also = nothing
    ) -> SpanRecord:
        """A marker says that a stage starts or ends (``event``).

        A start while the same is open is that one. An end without a start is a span of no length.
        ``also`` is saved as one with the end.
        """
        if event == "start":
            known = _latest(filter(mark.is_exactly, self._open.values()))
            return known or self._begin(mark, now)
        if span := self.meant(mark):
            return self.end(span, now, status, also=also)
        last = _latest(filter(mark.may_mean, self.of_workflow(mark.labels.workflow)))
        if last and last.presumed:
            return self._end_again(last, now, status, also)
        return self.end(self._begin(mark, now), now, status, also=also)

    def end_marked(self, workflow: str, id: str, now: int, status: str) -> SpanRecord | None:
        """The marked span with this id ends; one that has ended stays as it is. None for no such span."""
        known = self.with_id(workflow, id)
        if known and not known.ended:
            return self.end(known, now, status)
        return self._end_again(known, now, status) if known and known.presumed else known

    def with_id(self, workflow: str, id: str) -> SpanRecord | None:
        """The span of the workflow with this id, whether it lasts or not."""
        saved = self._store.read(lambda transaction: transaction.work.span(workflow, id))
        return self._open.get((workflow, id), saved)

    def meant(self, mark: Mark) -> SpanRecord | None:
        """The open span that a marker is about."""
        spans = self._open.values()
        return _latest(filter(mark.is_exactly, spans)) or _latest(filter(mark.may_mean, spans))

    def knows(self, mark: Mark, event: Event, at: int) -> bool:
        """Whether this very word was taken before: a stage of it started, or ended, at this time (ms).

        That a stage starts which lasts may be said again, by who died in the midst of it.
        """
        if event == "start" and any(map(mark.is_same, self._open.values())):
            return False
        spans = self.of_workflow(mark.labels.workflow)
        return any(mark.has_told(event, at, span) for span in spans)

    def _end_again(
        self, span: SpanRecord, now: int, status: str, also: Also = nothing
    ) -> SpanRecord:
        """A span that was taken for ended before ends only now."""
        ended = replace(span, ended=max(now, span.ended), status=status, presumed=False)
        self._save_ended(ended, also)
        return ended

    def _begin(self, mark: Mark, now: int) -> SpanRecord:
        """Open a span; those of agents and subagents at the very stage become part of it."""
        own = (span for span in self._open.values() if not is_marked(span))
        absorbed = sorted((each for each in own if fits(each.labels, mark.labels)), key=_started)
        return self.begin_marked(mark, now, absorbed)

    def begin_marked(
        self, mark: Mark, now: int, instead_of: Sequence[SpanRecord] = (), id: str = MARKED
    ) -> SpanRecord:
        """Open a span, whatever else is open; it goes on as the first of those that it replaces.

        Unless it has an ``id`` of its own it is numbered.
        """
        first = instead_of[0] if instead_of else None
        span = SpanRecord(
            workflow=mark.labels.workflow,
            id=id,
            labels=mark.labels,
            role=mark.role,
            started=first.started if first else now,
            worked=first.worked if first else 0,
            waited=first.waited if first else 0,
            held=first.held if first else 0,
            conversation=mark.conversation,
            agent=mark.agent,
            folder=mark.folder,
        )
        return self.begin(span, instead_of, is_again=not instead_of)

    def begin(
        self, span: SpanRecord, instead_of: Sequence[SpanRecord] = (), is_again: bool = False
    ) -> SpanRecord:
        """Save a span that begins, and tell it; its id is made of the one it has.

        ``instead_of`` are open spans that it takes the place of, and it goes on as the first of them;
        ``is_again`` says that others may have been at the same before it.
        """

        def work(transaction: Transaction) -> SpanRecord:
            for each in instead_of:
                transaction.work.drop_span(each)
            shelf = transaction.work
            id = free_id(span.id, lambda id: shelf.span(span.workflow, id))
            new = replace(span, id=id)
            new = with_before(new, transaction) if is_again else new
            transaction.work.save_span(new)
            return new

        new = self._store.write(work)
        look = self._looks.get(key_of(instead_of[0])) if instead_of else None
        for each in instead_of:
            self._forget(key_of(each))
        self._open[key_of(new)] = new
        if look:
            self._looks[key_of(new)] = look
        self._tell(self.on_started, new)
        return new

    def drop(self, span: SpanRecord) -> None:
        """Take an open span back: it never was."""
        self._store.write(lambda transaction: transaction.work.drop_span(span))
        self._forget(key_of(span))

    def end(
        self,
        span: SpanRecord,
        at: int,
        status: str = "",
        presumed: bool = False,
        also: Also = nothing,
    ) -> SpanRecord:
        """Save that an open span ended at this time (ms), and tell it.

        ``presumed`` says that nobody told so.
        """
        key = key_of(span)
        timed = self._open[key]
        if look := self._looks.get(key):
            timed = counted(timed, look, at)
        ended = replace(closed(timed, at, status), presumed=presumed)
        self._save_ended(ended, also)
        return ended

    def end_workflow(self, workflow: str, ended: int) -> None:
        """End all spans of a workflow that has ended then (ms)."""
        for span in self.open_spans():
            if span.workflow == workflow and span.started <= ended:
                self.end(span, ended, presumed=True)

    def _save_ended(self, span: SpanRecord, also: Also) -> None:
        def work(transaction: Transaction) -> None:
            transaction.work.save_span(span)
            transaction.errands.add_ended(Ended(span.workflow, span.id))
            also(transaction)

        self._store.write(work)
        self._forget(key_of(span))
        self._tell(self.on_ended, span)

    def look(self, span: SpanRecord, doing: Doing | None, now: int) -> None:
        """Count the time since the last look, and note how it goes by from now on."""
        key = key_of(span)
        if look := self._looks.get(key):
            timed = counted(self._open[key], look, now)
            if timed is not self._open[key]:
                self._open[key] = timed
                self._unsaved.add(key)
        self._looks[key] = Look(now, doing)

    def hears(self, span: SpanRecord, at: int) -> None:
        """Save when whoever does the work of an open span was last heard of (ms), 0 for it is again."""
        heard = replace(self._open[key_of(span)], heard=at)
        self._store.write(lambda transaction: transaction.work.save_span(heard))
        self._open[key_of(span)] = heard

    def save_times(self, now: int) -> None:
        """Save how the time went by, unless that was done a moment ago."""
        if not self._unsaved or 0 <= now - self._saved_at < SAVED_EVERY_MS:
            return
        self.save_all()
        self._saved_at = now

    def save_all(self) -> None:
        """Save how the time went by up to now."""
        spans = [self._open[key] for key in self._unsaved]

        def work(transaction: Transaction) -> None:
            for span in spans:
                transaction.work.save_span(span)

        if spans:
            self._store.write(work)
        self._unsaved.clear()

    def _tell(self, listeners: Sequence[Listener], span: SpanRecord) -> None:
        for tell in listeners:
            self._attempt(tell, span)

    def _forget(self, key: Key) -> None:
        self._open.pop(key, None)
        self._looks.pop(key, None)
        self._unsaved.discard(key)


def key_of(span: SpanRecord) -> Key:
    """Where the span stands."""
    return span.workflow, span.id


def _latest(spans: Iterable[SpanRecord]) -> SpanRecord | None:
    return max(spans, key=_started, default=None)


def _started(span: SpanRecord) -> int:
    return span.started
