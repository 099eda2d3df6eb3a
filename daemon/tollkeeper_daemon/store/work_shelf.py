"""What is kept of workflows in a transaction: the markers, the spans of work, and the sums."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import groupby

import msgspec
from msgspec import Struct

from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.in_brief import in_brief
from tollkeeper_daemon.store.keys import key_of
from tollkeeper_daemon.store.schema import (
    SpanRecord,
    WorkflowRecord,
    WorkInBrief,
    WorkRecord,
    WorkSum,
)
from tollkeeper_daemon.store.tables import Access

Booked = tuple[int, Book, Totals]
"""The quarter of an hour, the book, and what was added to it."""


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
        prefix = _digest(workflow)
        found: list[SpanRecord] = []
        with self._raw.cursor(self._tables.by_name["spans"]) as cursor:
            if cursor.set_range(prefix):
                for key, value in cursor.iternext():
                    if key[: len(prefix)] != prefix:
                        break
                    found.append(_decode_span(value))
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
        self.save_spans([span])

    def save_spans(self, spans: Sequence[SpanRecord]) -> None:
        """Keep these spans, each in the place of the one with the same id."""
        for span in spans:
            self._put("spans", _digest(span.workflow) + _digest(span.id), span)
        for workflow in {span.workflow for span in spans}:
            self._save_work(workflow, self.sums_of(workflow))

    def drop_span(self, span: SpanRecord) -> None:
        """Take a span back that never was."""
        self._delete("spans", _digest(span.workflow) + _digest(span.id))
        self._save_work(span.workflow, self.sums_of(span.workflow))

    def sums_of(self, workflow: str) -> tuple[WorkSum, ...]:
        """What the parts of this workflow have come to."""
        found = self._get("work", _key(workflow), _decode_work)
        return found.sums if found else ()

    def sums(self) -> Iterator[tuple[str, tuple[WorkSum, ...]]]:
        """What every workflow has come to, with its id."""
        for _, value in self._all("work"):
            found = _decode_work(value)
            yield found.workflow, found.sums

    def in_brief(self, now: int) -> list[WorkInBrief]:
        """The same in brief, as it is at this time (ms): several times quicker."""
        with self._raw.cursor(self._tables.by_name["in_brief"]) as cursor:
            found = [_decode_in_brief(value) for value in cursor.iternext(keys=False)]
        return [self._in_brief(work.workflow, now) if work.is_open else work for work in found]

    def known(self) -> set[str]:
        """The id of every workflow that anything is known of; empty for work of none."""
        worked = {work.workflow for work in self.in_brief(0)}
        return worked | {workflow.id for workflow in self.workflows()}

    def add_to_sums(self, booked: list[Booked]) -> None:
        """Add what was booked under a workflow, or under a task or a stage of none."""
        by_workflow: dict[str, list[Booked]] = {}
        for each in booked:
            book = each[1]
            if book.workflow or book.task or book.stage:
                by_workflow.setdefault(book.workflow, []).append(each)
        for workflow, lot in by_workflow.items():
            parts = {_part(each): each for each in self.sums_of(workflow)}
            for quarter, book, totals in lot:
                _add(parts, quarter, book, totals)
            self._save_work(workflow, tuple(each for each in parts.values() if each.totals))

    def _save_work(self, workflow: str, sums: tuple[WorkSum, ...]) -> None:
        brief = in_brief(workflow, sums, self.spans_of(workflow), self._name_of)
        self._put_or_drop("work", workflow, WorkRecord(workflow, sums), bool(sums))
        self._put_or_drop("in_brief", workflow, brief, bool(brief.briefs))

    def _put_or_drop(self, table: str, workflow: str, value: Struct, has_any: bool) -> None:
        if has_any:
            self._put(table, _key(workflow), value)
        else:
            self._delete(table, _key(workflow))

    def _in_brief(self, workflow: str, now: int) -> WorkInBrief:
        return in_brief(
            workflow, self.sums_of(workflow), self.spans_of(workflow), self._name_of, now
        )

    def _name_of(self, agent: str) -> str:
        found = self._get("agents", key_of(agent), _decode_named) if agent else None
        return found.name if found else ""


def _key(workflow: str) -> bytes:
    return key_of(f"{PREFIX.decode()}{workflow}")


def _digest(name: str) -> bytes:
    """One half of a span's key: what has no workflow may have thousands of them."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _began(span: SpanRecord) -> tuple[int, str]:
    return span.started, span.id


Part = tuple[str, str, str, str, str, str]


def _part(each: WorkSum) -> Part:
    return each.task, each.stage, each.agent, each.subagent_type, each.model, each.source


def _add(parts: dict[Part, WorkSum], quarter: int, book: Book, totals: Totals) -> None:
    part = (book.task, book.stage, book.agent, book.subagent_type, book.model, book.source)
    known = parts.get(part) or WorkSum(*part, quarter, quarter, Totals())
    known.totals.add(totals)
    known.totals.bound()
    first, last = min(known.first, quarter), max(known.last, quarter)
    parts[part] = WorkSum(*part, first, last, known.totals)


class _Named(Struct, frozen=True, array_like=True, gc=False):
    """The beginning of an ``AgentRecord``."""

    id: str
    pid: int
    name: str


_decode_named = msgspec.msgpack.Decoder(_Named).decode
_decode_workflow = msgspec.msgpack.Decoder(WorkflowRecord).decode
_decode_span = msgspec.msgpack.Decoder(SpanRecord).decode
_decode_work = msgspec.msgpack.Decoder(WorkRecord).decode
_decode_in_brief = msgspec.msgpack.Decoder(WorkInBrief).decode
