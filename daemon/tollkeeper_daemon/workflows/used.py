"""What a span has used: of the ledger's sums, what belongs to it since it began."""

from collections.abc import Iterator

from msgspec.structs import replace

from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.books import Book, quarter
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.tally import Tally
from tollkeeper_daemon.workflows.marks import fits, is_marked


def with_before(span: SpanRecord, transaction: Transaction) -> SpanRecord:
    """The span, that begins, with what was used before in its first quarter of an hour, at its stage."""
    before = _booked(replace(span, ended=max(span.started, 1)), transaction)
    return replace(span, before=before.totals, before_cost=before.cost)


def used_by(span: SpanRecord, transaction: Transaction) -> Tally:
    """What the span has used so far."""
    used = _booked(span, transaction)
    used.totals.add(span.before, times=-1)
    used.cost -= span.before_cost
    return used


def _booked(span: SpanRecord, transaction: Transaction) -> Tally:
    found = Tally()
    for book, totals in _rows(span, transaction):
        found.add(book, totals)
    return found


def conversations_of(span: SpanRecord, transaction: Transaction) -> set[str]:
    """The conversations in which the work of the span was done."""
    return {book.conversation for book, _ in _rows(span, transaction)}


def _rows(span: SpanRecord, transaction: Transaction) -> Iterator[tuple[Book, Totals]]:
    """The sums are by quarters of an hour: that in which the span began counts as a whole."""
    until = quarter(span.ended) + 1 if span.ended else 2**32 - 1
    for (_, number), totals in transaction.rows(quarter(span.started), until):
        book = transaction.book(number)
        if _is_of(book, span):
            yield book, totals


def _is_of(book: Book, span: SpanRecord) -> bool:
    labels = Labels(book.workflow, book.task, book.stage)
    if is_marked(span):
        return fits(span.labels, labels)
    return (labels, book.agent, book.subagent) == (span.labels, span.agent, span.subagent)
