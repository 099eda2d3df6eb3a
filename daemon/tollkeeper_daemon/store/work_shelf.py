"""What is kept of workflows in a transaction: the markers, the spans of work, and the sums."""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import groupby

import msgspec
from msgspec import Struct

from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.in_brief import Booked, who_did, with_booked, with_spans
from tollkeeper_daemon.store.keys import key_of
from tollkeeper_daemon.store.schema import (
    SpanRecord,
    WorkflowRecord,
    WorkInBrief,
    WorkRow,
    WorkSum,
)
from tollkeeper_daemon.store.tables import Access

# So that no workflow, which is one too, has a key of its own.
PREFIX = b"w:"


class WorkShelf(Access):
    """The tables ``workflows``, ``spans``, ``work`` and ``in_brief``, which follows from the latter two."""

    def workflow(self, name: str) -> WorkflowRecord | None:
        """What markers told of this workflow."""
        return self._get("workflows", _key(name), _decode_workflow)

    def workflows(self) -> Iterator[WorkflowRecord]:
        """Every workflow that markers told of."""
        return (_decode_workflow(value) for _, value in self._all("workflows"))

    def save_workflow(self, workflow: WorkflowRecord) -> None:
        self._put("workflows", _key(workflow.id), workflow)

    def spans_of(self, workflow: str) -> tuple[SpanRecord, ...]:
        """The spans of this workflow, the earliest first."""
        found = map(_decode_span, self._below("spans", _digest(workflow)))
        return tuple(sorted(found, key=_began))

    def spans_naming(self, workflow: str, *words: str) -> tuple[SpanRecord, ...]:
        """Those of them in which one of these words stands, the earliest first: of none there may be very many."""
        sought = [word.encode() for word in words]
        rows = self._below("spans", _digest(workflow))
        found = (_decode_span(row) for row in rows if any(word in row for word in sought))
        return tuple(sorted(found, key=_began))

    def spans(self) -> Iterator[tuple[SpanRecord, ...]]:
        """All spans, a workflow at a time."""
        found = (_decode_span(value) for _, value in self._all("spans"))
        for _, spans in groupby(found, lambda span: span.workflow):
            yield tuple(sorted(spans, key=_began))

    def span(self, workflow: str, id: str) -> SpanRecord | None:
        """The span of this workflow with this id."""
        return self._get("spans", _digest(workflow) + _digest(id), _decode_span)

    def save_span(self, span: SpanRecord) -> None:
        """Keep this span in the place of the one with the same id."""
        key = _digest(span.workflow) + _digest(span.id)
        known = self._get("spans", key, _decode_span)
        self._put("spans", key, span)
        if known is None or _times(known) != _times(span):
            self._time(span.workflow)

    def drop_span(self, span: SpanRecord) -> None:
        """Take a span back that never was."""
        self._delete("spans", _digest(span.workflow) + _digest(span.id))
        self._time(span.workflow)

    def sums_of(self, workflow: str) -> tuple[WorkSum, ...]:
        """What the parts of this workflow have come to."""
        rows = self._below("work", _digest(workflow))
        return tuple(_decode_row(value).sum for value in rows)

    def sums(self) -> Iterator[tuple[str, tuple[WorkSum, ...]]]:
        """What every workflow has come to, with its id."""
        found = (_decode_row(value) for _, value in self._all("work"))
        for workflow, rows in groupby(found, lambda row: row.workflow):
            yield workflow, tuple(row.sum for row in rows)

    def in_brief(self, now: int) -> list[WorkInBrief]:
        """The same in brief, as it is at this time (ms): several times quicker."""
        with self._raw.cursor(self._tables.by_name["in_brief"]) as cursor:
            found = [_decode_in_brief(value) for value in cursor.iternext(keys=False)]
        named = [
            with_spans(work, self.spans_of(work.workflow), now) if work.is_open else work
            for work in found
            if work.workflow
        ]
        loose = tuple([brief for work in found if not work.workflow for brief in work.briefs])
        return [*named, WorkInBrief("", loose)] if loose else named

    def known(self) -> set[str]:
        """The id of every workflow that anything is known of; empty for work of none."""
        worked = {work.workflow for work in self.in_brief(0)}
        return worked | {workflow.id for workflow in self.workflows()}

    def add_to_sums(self, booked: list[Booked]) -> None:
        """Add what was booked under a workflow, or under a task or a stage of none."""
        own = [each for each in booked if each[1].workflow or each[1].task or each[1].stage]
        self._add_to_parts(own)
        by_brief: dict[bytes, list[Booked]] = {}
        for each in own:
            by_brief.setdefault(_brief_key(each[1]), []).append(each)
        for key, lot in by_brief.items():
            known = self._get("in_brief", key, _decode_in_brief)
            work = known or WorkInBrief(lot[0][1].workflow)
            self._keep_in_brief(key, with_booked(work, lot, self._name_of))

    def _add_to_parts(self, booked: list[Booked]) -> None:
        rows: dict[bytes, WorkRow] = {}
        for quarter, book, totals in booked:
            key = _part_key(book)
            known = rows.get(key) or self._get("work", key, _decode_row)
            rows[key] = _added(known, quarter, book, totals)
        for key, row in rows.items():
            if row.sum.totals:
                self._put("work", key, row)
            else:
                self._delete("work", key)

    def _time(self, workflow: str) -> None:
        """Note how long the spans of this workflow lasted; there may be any number of those of none."""
        if workflow:
            key = _digest(workflow)
            work = self._get("in_brief", key, _decode_in_brief) or WorkInBrief(workflow)
            self._keep_in_brief(key, with_spans(work, self.spans_of(workflow)))

    def _keep_in_brief(self, key: bytes, work: WorkInBrief) -> None:
        if work.briefs or work.duration is not None:
            self._put("in_brief", key, work)
        else:
            self._delete("in_brief", key)

    def _below(self, table: str, prefix: bytes) -> Iterator[bytes]:
        """The values of all keys that begin so."""
        with self._raw.cursor(self._tables.by_name[table]) as cursor:
            if cursor.set_range(prefix):
                for key, value in cursor.iternext():
                    if key[: len(prefix)] != prefix:
                        return
                    yield bytes(value)

    def _name_of(self, agent: str) -> str:
        found = self._get("agents", key_of(agent), _decode_named) if agent else None
        return found.name if found else ""


def _key(workflow: str) -> bytes:
    return key_of(f"{PREFIX.decode()}{workflow}")


def _digest(name: str) -> bytes:
    """One half of a key: what has no workflow may have thousands of spans, and of parts."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _began(span: SpanRecord) -> tuple[int, str]:
    return span.started, span.id


def _times(span: SpanRecord) -> tuple[str, str, int, int]:
    """All of it that says how long anything lasted."""
    return span.labels.stage, span.role, span.started, span.ended


def _part_key(book: Book) -> bytes:
    part = (book.task, book.stage, book.agent, book.subagent_type, book.model, book.source)
    return _digest(book.workflow) + _digest("\0".join(part))


def _brief_key(book: Book) -> bytes:
    """One for each workflow; of what has none one for each brief, since those may be very many."""
    key = _digest(book.workflow)
    return key if book.workflow else key + _digest("\0".join(who_did(book)))


def _added(known: WorkRow | None, quarter: int, book: Book, totals: Totals) -> WorkRow:
    part = (book.task, book.stage, book.agent, book.subagent_type, book.model, book.source)
    row = known or WorkRow(book.workflow, WorkSum(*part, quarter, quarter, Totals()))
    row.sum.totals.add(totals)
    row.sum.totals.bound()
    first, last = min(row.sum.first, quarter), max(row.sum.last, quarter)
    return WorkRow(book.workflow, WorkSum(*part, first, last, row.sum.totals))


class _Named(Struct, frozen=True, array_like=True, gc=False):
    """The beginning of an ``AgentRecord``."""

    id: str
    pid: int
    name: str


_decode_named = msgspec.msgpack.Decoder(_Named).decode
_decode_workflow = msgspec.msgpack.Decoder(WorkflowRecord).decode
_decode_span = msgspec.msgpack.Decoder(SpanRecord).decode
_decode_row = msgspec.msgpack.Decoder(WorkRow).decode
_decode_in_brief = msgspec.msgpack.Decoder(WorkInBrief).decode
