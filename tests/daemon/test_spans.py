"""Spans of work by their markers: each once, whatever is told again, and by whichever daemon."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.marks import Mark
from tollkeeper_daemon.workflows.spans import Spans

from .at_work import call

NOW = 1_800_000_000_000
SECOND = 1_000
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


def test_end_without_a_start(store: Store) -> None:
    """It is a span of that moment."""
    ended = spans_in(store).mark(Mark(ANALYZE), "end", NOW, "failed")
    assert (NOW, NOW, "failed") == (ended.started, ended.ended, ended.status)
