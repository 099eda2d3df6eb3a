"""Past pieces of work: what was changed in each, what it came to, and which are over."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from tollkeeper.model import Piece, Pieces
from tollkeeper_daemon.config import Config
from tollkeeper_daemon.control import workflow_pieces
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.labels.labels import Fact, Labels, Layer
from tollkeeper_daemon.ledger.books import QUARTER_MS, Book, quarter
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Edit, Edits
from tollkeeper_daemon.reports.changes import changes_of_work
from tollkeeper_daemon.store.schema import Conversation, SpanRecord, Told, WorkflowRecord
from tollkeeper_daemon.store.store import Store

from .lines import NINE_MS, OPUS

DOLLAR = 10**9
PLAN, IMPLEMENT = Labels("w1", stage="plan"), Labels("w1", stage="implement")


def told(*facts: tuple[int, Labels], **more: Any) -> Conversation:
    """A conversation of which a person said this, in which 90 lines came and 10 went."""
    labels = tuple(Fact(since, Layer.SAID, labels=labels) for since, labels in facts)
    known = Conversation(client_cost=1, lines_added=90, lines_removed=10, labels=labels)
    return replace(known, **more)


def edited(*edits: tuple[int, int, int], conversation: str = "c", subagent: str = "") -> Edits:
    """Edits of these times, files and sizes; the subagent's type is of the same name."""
    return Edits(conversation, subagent, subagent, tuple(Edit(*edit) for edit in edits))


def changed(
    *edits: Edits, stage: str | None = None, **conversations: Conversation
) -> dict[str, tuple[int, float | None]]:
    """How many files and lines were changed, by workflow."""
    found = changes_of_work(
        edits, conversations, lambda kind: {"coder": "code"}.get(kind, ""), stage
    )
    return {name: (len(each.files), each.lines) for name, each in found.items()}


def test_by_time() -> None:
    """An edit is of the work at its time, and has its share in the lines by its length."""
    known = told((0, PLAN), (100, IMPLEMENT), (200, Labels("w2")))
    edits = edited((50, 1, 10), (100, 1, 20), (150, 2, 30), (200, 3, 40))
    assert {"w1": (2, 60.0), "w2": (1, 40.0)} == changed(edits, c=known)
    assert {"w1": (1, 10.0)} == changed(edits, c=known, stage="plan")
    assert {"w1": (2, 50.0)} == changed(edits, c=known, stage="implement")


def test_of_subagents() -> None:
    """A subagent's edits are of its own stage, in one conversation with all others."""
    edits = [edited((50, 1, 30)), edited((60, 2, 70), subagent="coder")]
    assert {"w1": (1, 70.0)} == changed(*edits, c=told((0, Labels("w1"))), stage="code")


def test_same_file_twice() -> None:
    """A file counts once for a piece of work, whoever changes it, and its lines each time."""
    edits = [edited((50, 1, 10)), edited((60, 1, 10), conversation="d")]
    known = told((0, PLAN))
    assert {"w1": (1, 200.0)} == changed(*edits, c=known, d=known)


def test_of_no_work() -> None:
    """Edits before any work, of none, or of a conversation that is not known count for nothing."""
    edits = [edited((50, 1, 10)), edited((50, 1, 10), conversation="d")]
    assert {} == changed(*edits, c=told((60, PLAN)))
    assert {} == changed(*edits, c=told(), d=told((0, Labels(task="t"))))


def test_lines_not_known() -> None:
    """Without the client's own totals the lines are not known, and so those of the whole piece."""
    edits = [edited((50, 1, 10)), edited((50, 2, 10), conversation="d")]
    old = told((0, PLAN), client_cost=None, lines_added=0, lines_removed=0)
    assert {"w1": (2, None)} == changed(*edits, c=told((0, PLAN)), d=old)


def test_fork() -> None:
    """A fork's totals include its parent's: the parent's edits have their share in them."""
    edits = [edited((50, 1, 75)), edited((60, 2, 25), conversation="fork")]
    parent = told((0, Labels("w1")))
    fork = told((0, Labels("w2")), told=Told(parents=("c",)))
    assert {"w1": (1, 100.0), "w2": (1, 25.0)} == changed(*edits, c=parent, fork=fork)


class Keeper:
    """A store with work in it, and the daemon in front of it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.daemon = cast(
            Daemon, SimpleNamespace(store=store, settings=SimpleNamespace(config=Config()))
        )

    def book(self, workflow: str, stage: str, *, source: str = "api", at: int = NINE_MS) -> None:
        """A request of 1,000 tokens and a dollar."""
        book = Book("c", OPUS, source, workflow=workflow, stage=stage)
        totals = Totals(requests=1, messages=1, input=900, output=100, value=DOLLAR)
        self.store.write(lambda t: t.work.add_to_sums([(quarter(at), book, totals)]))

    def save(self, *records: WorkflowRecord | SpanRecord) -> None:
        """What markers told."""
        for each in records:
            if isinstance(each, WorkflowRecord):
                self.store.write(lambda t, each=each: t.work.save_workflow(each))
            else:
                self.store.write(lambda t, each=each: t.work.save_span(each))

    def pieces(self, **params: Any) -> Pieces:
        """What the daemon answers."""
        return workflow_pieces.answer(self.daemon, params)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    with Store(tmp_path) as store:
        yield Keeper(store)


def span(stage: str, ended: int) -> SpanRecord:
    """A stretch of work at this stage of w1."""
    return SpanRecord("w1", f"m:{stage}", Labels("w1", stage=stage), "", NINE_MS, ended)


def test_whole_and_stage(keeper: Keeper) -> None:
    """A piece is a workflow, or one stage of it: what it took, and what of that was billed."""
    for stage, source in (("plan", "api"), ("implement", "subscription"), ("implement", "api")):
        keeper.book("w1", stage, source=source)
    keeper.store.write(
        lambda t: (
            t.save_conversation("c", told((0, IMPLEMENT))),
            t.edits.add(edited((NINE_MS, 1, 5), (NINE_MS, 2, 5))),
        )
    )
    whole = Piece(
        workflow="w1",
        last_used_at="2026-11-22T09:00:00.000+00:00",
        files=2,
        lines=100,
        turns=3,
        tokens=3_000,
        cost_usd=2.0,
        value_usd=3.0,
    )
    assert Pieces(stage=None, pieces=(whole,)) == keeper.pieces()
    plan = replace(whole, files=0, lines=0, turns=1, tokens=1_000, cost_usd=1.0, value_usd=1.0)
    assert Pieces(stage="plan", pieces=(plan,)) == keeper.pieces(stage="plan")
    assert Pieces(stage="review", pieces=()) == keeper.pieces(stage="review")


def test_work_of_no_workflow(keeper: Keeper) -> None:
    """What is a task's or a stage's alone is no piece of work."""
    keeper.book("", "plan")
    assert () == keeper.pieces(stage="plan").pieces


def test_under_way(keeper: Keeper) -> None:
    """A workflow is over at its end, a stage when nobody is at it; what is not over is only counted."""
    keeper.book("w1", "plan")
    keeper.save(WorkflowRecord("w1", NINE_MS), span("plan", ended=NINE_MS + 1))
    assert (0, 1) == _counts(keeper.pieces())
    assert (1, 0) == _counts(keeper.pieces(stage="plan"))
    keeper.save(WorkflowRecord("w1", NINE_MS, NINE_MS + 1), span("plan", ended=0))
    assert (0, 1) == _counts(keeper.pieces())
    assert (0, 1) == _counts(keeper.pieces(stage="plan"))
    keeper.save(span("plan", ended=NINE_MS + 1))
    assert (1, 0) == _counts(keeper.pieces())


def _counts(found: Pieces) -> tuple[int, int]:
    return len(found.pieces), found.under_way


def test_latest(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many pieces the latest are told, the earliest of them first."""
    monkeypatch.setattr(workflow_pieces, "MOST_PIECES", 2)
    for number in (2, 0, 1):
        keeper.book(f"w{number}", "plan", at=NINE_MS + number * QUARTER_MS)
    assert ["w1", "w2"] == [piece.workflow for piece in keeper.pieces().pieces]


@pytest.mark.parametrize("params", [{"stage": ""}, {"stage": 1}, {"workflow": "w"}])
def test_wrong_params(keeper: Keeper, params: dict[str, Any]) -> None:
    """What the method does not know is refused."""
    with pytest.raises(Refused):
        keeper.pieces(**params)
