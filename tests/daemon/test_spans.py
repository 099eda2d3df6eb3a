"""Spans of work by their markers: each once, whatever is told again, and by whichever daemon."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.books import Book, quarter
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.workflows.marks import Mark
from tollkeeper_daemon.workflows.spans import Spans
from tollkeeper_daemon.workflows.used import used_by

from .at_work import call

NOW = 1_800_000_000_000
SECOND = 1_000
HOUR = 3600 * SECOND
ANALYZE = Labels("w-1", "w-1.1", "analyze")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with nothing in it."""
    with Store(tmp_path / "ledger") as opened:
        yield opened


def spans_in(store: Store) -> Spans:
    """The spans of a daemon that has just come up."""
    spans = Spans(store, call)
    spans.restore()
    return spans


def told(spans: Spans) -> list[tuple[str, SpanRecord]]:
    """What is told from now on."""
    found: list[tuple[str, Any]] = []
    spans.on_started.append(lambda span: found.append(("started", span)))
    spans.on_ended.append(lambda span: found.append(("ended", span)))
    return found


def book_at(store: Store, requests: int, time: int = NOW) -> None:
    """So many requests are booked at the stage, now or at another time (ms)."""
    book = Book("c", "opus", "api", workflow="w-1", task="w-1.1", stage="analyze")

    def work(transaction: Transaction) -> None:
        row = (quarter(time), transaction.number_of(book))
        posting = Posting()
        posting.sums[row] = Totals(requests=requests)
        transaction.save(posting)

    store.write(work)


def used(store: Store, span: SpanRecord) -> int:
    """How many requests the span has used."""
    return store.read(lambda transaction: used_by(span, transaction)).totals.requests


def test_start_and_end(store: Store) -> None:
    """A stage that starts and ends is one span, saved and told."""
    spans = spans_in(store)
    heard = told(spans)
    started = spans.mark(Mark(ANALYZE, "analyst", folder="/shop"), "start", NOW)
    assert (started,) == spans.open_spans() == spans.of_workflow("w-1")
    ended = spans.mark(Mark(ANALYZE, "analyst"), "end", NOW + 9 * SECOND, "completed")
    assert ("m:1", "analyst", "/shop") == (ended.id, ended.role, ended.folder)
    assert (NOW, NOW + 9 * SECOND, "completed") == (ended.started, ended.ended, ended.status)
    assert [("started", started), ("ended", ended)] == heard
    assert ((), (ended,)) == (spans.open_spans(), spans.of_workflow("w-1"))


def test_start_again(store: Store) -> None:
    """A start while the stage lasts is the same span, in the next daemon too; after its end it is another."""
    first = spans_in(store).mark(Mark(ANALYZE), "start", NOW)
    spans = spans_in(store)
    assert first == spans.mark(Mark(ANALYZE), "start", NOW + SECOND)
    spans.mark(Mark(ANALYZE), "end", NOW + 2 * SECOND)
    second = spans.mark(Mark(ANALYZE), "start", NOW + 3 * SECOND)
    assert ("m:1", "m:2") == (first.id, second.id)
    assert 2 == len(spans.of_workflow("w-1"))


def test_long_names(store: Store) -> None:
    """Workflows whose names begin alike, however long, have each their own spans."""
    names = ["w" * 600, "w" * 601, "w", "w\0", ""]
    spans = spans_in(store)
    for name in names:
        spans.mark(Mark(Labels(name, "t", "plan")), "start", NOW)
    assert names == [found.workflow for name in names for found in spans.of_workflow(name)]
    assert 5 == len(store.read(lambda transaction: [*transaction.work.spans()]))


def test_record_of_an_earlier_version() -> None:
    """A span that was saved without what was added later is read as it was."""
    new = SpanRecord("w-1", "m:1", ANALYZE, "Ada", NOW, ended=NOW + 1, status="failed")
    old = msgspec.msgpack.encode(msgspec.msgpack.decode(msgspec.msgpack.encode(new))[:7])
    assert new == msgspec.msgpack.decode(old, type=SpanRecord)


def test_listener_that_fails(store: Store) -> None:
    """It costs nothing: the span is saved, and the others are told."""
    failed: list[str] = []

    def attempt(tell: Any, span: SpanRecord) -> None:
        try:
            tell(span)
        except RuntimeError as error:
            failed.append(str(error))

    def fail(span: SpanRecord) -> None:
        raise RuntimeError("full")

    spans = Spans(store, attempt)
    spans.on_started.append(fail)
    heard = told(spans)
    span = spans.mark(Mark(ANALYZE), "start", NOW)
    assert (["full"], [("started", span)], (span,)) == (failed, heard, spans.of_workflow("w-1"))


@pytest.mark.parametrize(
    ("started", "ended", "is_same"),
    [
        (Mark(ANALYZE, "Ada"), Mark(ANALYZE), True),
        (Mark(ANALYZE), Mark(ANALYZE, "Ada"), True),
        (Mark(ANALYZE, "analyst"), Mark(ANALYZE, "Ada", is_implied=True), True),
        (Mark(ANALYZE, "analyst"), Mark(ANALYZE, "Ada"), False),
        (Mark(ANALYZE), Mark(Labels("w-1", "", "analyze")), True),
        (Mark(ANALYZE), Mark(Labels("w-1", "w-1.2", "analyze")), False),
        (Mark(ANALYZE), Mark(Labels("w-1", "w-1.1", "plan")), False),
        (Mark(ANALYZE), Mark(Labels("w-2", "w-1.1", "analyze")), False),
    ],
)
def test_which_end_is_meant(store: Store, started: Mark, ended: Mark, is_same: bool) -> None:
    """An end is of the stage that started, where nothing that both of them say differs."""
    spans = spans_in(store)
    first = spans.mark(started, "start", NOW)
    last = spans.mark(ended, "end", NOW)
    assert is_same == ((last.workflow, last.id) == (first.workflow, first.id))


def test_several_at_one_stage(store: Store) -> None:
    """An end that leaves open whose it is is of the latest; one that says it is of that."""
    spans = spans_in(store)
    for number, role in enumerate(("Ada", "Bob", "Cyd")):
        spans.mark(Mark(ANALYZE, role), "start", NOW + number)
    assert "Ada" == spans.mark(Mark(ANALYZE, "Ada"), "end", NOW + 9).role
    assert "Cyd" == spans.mark(Mark(ANALYZE), "end", NOW + 9).role
    assert ["Bob"] == [span.role for span in spans.open_spans()]


def test_span_that_its_id_ends(store: Store) -> None:
    """It ends that one alone, and once; what has no such id is none."""
    spans = spans_in(store)
    one, other = (spans.begin_marked(Mark(ANALYZE), NOW) for _ in range(2))
    assert ("m:1", "m:2") == (one.id, other.id)
    ended = spans.end_marked("w-1", "m:2", NOW + 5, "failed")
    assert ended == spans.end_marked("w-1", "m:2", NOW + 9, "completed")
    assert ended and (NOW + 5, "failed") == (ended.ended, ended.status)
    assert None is spans.end_marked("w-1", "m:3", NOW, "failed")
    assert (one,) == spans.open_spans()


def test_stage_that_is_gone_through_again(store: Store) -> None:
    """What a second span has used is what was booked since it began."""
    spans = spans_in(store)
    book_at(store, 3)
    first = spans.mark(Mark(ANALYZE), "start", NOW)
    book_at(store, 2)
    assert (NOW, 2) == (first.started, used(store, spans.mark(Mark(ANALYZE), "end", NOW)))
    spans.mark(Mark(ANALYZE), "start", NOW + SECOND)
    book_at(store, 4)
    assert 4 == used(store, spans.mark(Mark(ANALYZE), "end", NOW + SECOND))


@pytest.mark.parametrize("start", [NOW - HOUR, 0])
def test_start_that_is_told_late(store: Store, start: int) -> None:
    """What was booked between a start and its being told is of the span; of its first moments nobody knows."""
    spans = spans_in(store)
    book_at(store, 1, start)
    book_at(store, 6)
    spans.mark(Mark(ANALYZE), "start", start)
    assert 6 == used(store, spans.mark(Mark(ANALYZE), "end", NOW))


def test_end_without_a_start(store: Store) -> None:
    """It is a span of that moment."""
    ended = spans_in(store).mark(Mark(ANALYZE), "end", NOW, "failed")
    assert (NOW, NOW, "failed") == (ended.started, ended.ended, ended.status)
