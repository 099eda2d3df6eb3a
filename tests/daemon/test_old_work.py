"""What the first ledger with workflows remembers of them is there for every later version, and goes on."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper_daemon.config import Config
from tollkeeper_daemon.exchange.reckoner import SETTLES_AFTER_MS, Reckoner
from tollkeeper_daemon.labels.labels import Fact, Labels, Layer
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Edit, Edits, FileMark
from tollkeeper_daemon.store.errands import Ended, EventsFile, PendingComment, PendingLines
from tollkeeper_daemon.store.schema import WorkflowRecord, WorkSum
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.workflows.spans import Spans

from .at_work import call
from .lines import DATA, NINE_MS, OPUS
from .shelf import added_up
from .works import ask

QUARTER_MS = 900_000
SHOP = "/home/dev/src/shop"
FILE = f"{SHOP}/.claude/workflow-metrics.jsonl"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A copy of that ledger."""
    shutil.copytree(DATA / "ledger-v3", tmp_path / "ledger")
    with Store(tmp_path / "ledger") as store:
        yield store


def test_workflows_and_spans(store: Store) -> None:
    """Its workflows are as they were told, and their spans as they were gone through."""
    first, second = sorted(
        store.read(lambda t: [*t.work.workflows()]), key=lambda workflow: workflow.id
    )
    assert first == WorkflowRecord(
        "shop-1", NINE_MS, NINE_MS + 2 * QUARTER_MS, "full", "completed", SHOP
    )
    assert second == WorkflowRecord("shop-2", NINE_MS)
    done, presumed = store.read(lambda t: t.work.spans_of("shop-1"))
    assert ("m:1", Labels("shop-1", "shop-1.1", "s"), "Agent-1") == (
        done.id, done.labels, done.role,
    )  # fmt: skip
    assert (QUARTER_MS, 600_000, 200_000, 100_000) == (
        done.ended - done.started, done.worked, done.waited, done.held,
    )  # fmt: skip
    assert ("completed", "conv-1", "4711-99", SHOP) == (
        done.status, done.conversation, done.agent, done.folder,
    )  # fmt: skip
    assert ((OPUS, Totals(requests=1, output=100, value=7)),) == done.reported
    assert (True, False, Totals(requests=1), 5) == (
        done.commented, done.presumed, done.before, done.before_cost,
    )  # fmt: skip
    assert ("m:2", True, "") == (presumed.id, presumed.presumed, presumed.status)
    spans = Spans(store, call)
    spans.restore()
    [lasting] = spans.open_spans()
    assert ("s:conv-2:a1", "4712-3", "a1", 5) == (
        lasting.id, lasting.agent, lasting.subagent, lasting.worked,
    )  # fmt: skip


def test_sums(store: Store) -> None:
    """The sums by workflow are those of what was booked, the brief ones too, and so are the answers."""

    def booked(transaction: Transaction) -> Totals:
        rows = ((transaction.book(number), sums) for (_, number), sums in transaction.rows())
        return added_up(sums for book, sums in rows if book.workflow == "shop-1")

    expected = store.read(booked)
    assert (5, 1_050) == (expected.requests, expected.output)
    assert expected == added_up(each.totals for each in store.read(_sums))
    brief = store.read(lambda t: {work.workflow: work for work in t.work.in_brief(NINE_MS)})
    assert expected.value == sum(each.value for each in brief["shop-1"].briefs)
    assert (QUARTER_MS + 1_000, False) == (brief["shop-1"].duration, brief["shop-1"].is_open)
    assert brief["shop-2"].is_open
    shown = ask(store, "show", workflow="shop-1")["totals"]
    assert (5, expected.value) == (shown["requests"], round(shown["value_usd"] * 10**9))


def _sums(transaction: Transaction) -> tuple[WorkSum, ...]:
    return transaction.work.sums_of("shop-1")


def test_what_is_still_to_be_done(store: Store) -> None:
    """What waited to be reckoned, written or commented waits still."""
    errands = store.read(
        lambda t: (
            t.errands.ended(),
            t.errands.lines(),
            t.errands.comments(),
            t.errands.events_file(FILE),
        )
    )
    assert (
        sorted([Ended("shop-1"), Ended("shop-1", "m:2")], key=lambda each: each.span),
        [PendingLines(1, FILE, 4_096, b'{"workflow_id":"shop-1"}\n', NINE_MS)],
        [
            PendingComment(
                "shop-1", "m:2", "shop-1.2-review", SHOP, "marker", "text\nmarker\n", NINE_MS, 2, 7,
            )
        ],
        EventsFile(FileMark(FILE, 300, 99), 2, NINE_MS, 0, 1),
    ) == (sorted(errands[0], key=lambda each: each.span), *errands[1:])  # fmt: skip


def test_what_is_reckoned(store: Store) -> None:
    """What has ended is reckoned, and then all that was booked is, to the last token."""
    spans = Spans(store, call)
    spans.restore()
    work = Reckoner(store, spans, Config, NINE_MS)
    for now in (0, SETTLES_AFTER_MS, 2 * SETTLES_AFTER_MS):
        work.look(NINE_MS + 3 * QUARTER_MS + now)
    assert [] == store.read(lambda t: t.errands.ended())
    sums, reckoned = store.read(lambda t: (_sums(t), t.errands.reckoned_of("shop-1")))
    assert added_up(each.totals for each in sums) == added_up(each.totals for each in reckoned)


def test_labels_and_edits(store: Store) -> None:
    """Which work conversation and agent were for is known, and so are the edits."""
    told = (Fact(NINE_MS, Layer.MARKED, labels=Labels("shop-1", "shop-1.1", "s")),)
    conversation, agents, edits = store.read(
        lambda t: (t.conversation("conv-1"), t.agents(), [*t.edits.all()])
    )
    assert conversation and told == conversation.labels
    assert [told] == [agent.told for agent in agents]
    assert [Edits("conv-1", "", "", (Edit(NINE_MS, 4_711, 60),))] == edits
