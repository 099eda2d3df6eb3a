"""Forks by today's client: what they copied stays its maker's, and stays as it was booked."""

import itertools
from pathlib import Path

import pytest

from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.prices import load_prices
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.reading.scan import Scan, scan_log
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.tally import Tally

from .lines import NINE_MS, NOW, OPUS, as_block, assistant, scanned, usage, user
from .machine import process, session
from .shelf import PRICES, Entry, added_up, post

DEARER = f"""
[[prices]]
model = "{OPUS}"
input = 400.0
output = 2000.0
cache_read = 20.0
cache_write_5m = 500.0
cache_write_1h = 800.0
"""


def rows(store: Store) -> dict[Book, Totals]:
    """The sums of each book."""
    return store.read(
        lambda transaction: {
            transaction.book(number): totals for (_, number), totals in transaction.rows()
        }
    )


def parent(conversation: str = "conv-1") -> list[bytes]:
    """The log of a conversation with two prompts, and a reply to each."""
    return [
        user(uuid="u1", sessionId=conversation),
        assistant(sessionId=conversation, timestamp="2026-11-22T09:00:01.000Z"),
        user(uuid="u2", sessionId=conversation, timestamp="2026-11-22T09:00:02.000Z"),
        assistant(
            message="msg_2",
            request="req_2",
            sessionId=conversation,
            timestamp="2026-11-22T09:00:03.000Z",
        ),
    ]


def fork(
    conversation: str, lines: list[bytes], made_by: str = "conv-1", minute: int = 10
) -> list[bytes]:
    """The log of a fork of these lines, which goes on with a prompt and a reply of its own."""
    copies = [
        line.replace(b'"sessionId":"%s"' % made_by.encode(), _copied(line, conversation, made_by))
        for line in lines
    ]
    return [
        *copies,
        user(
            uuid=f"u-{conversation}",
            sessionId=conversation,
            timestamp=f"2026-11-22T09:{minute}:00.000Z",
        ),
        assistant(
            message=f"msg_{conversation}",
            request=f"req_{conversation}",
            sessionId=conversation,
            timestamp=f"2026-11-22T09:{minute}:01.000Z",
        ),
    ]


def _copied(line: bytes, conversation: str, made_by: str) -> bytes:
    marked = b'"type":"assistant"' in line and b"requestSessionId" not in line
    mark = f',"requestSessionId":"{made_by}"' if marked else ""
    return f'"sessionId":"{conversation}"{mark}'.encode()


def log(conversation: str) -> str:
    """Where this conversation's log lies."""
    return f"/h/projects/-home-dev-src-shop/{conversation}.jsonl"


def test_fork_leaves_the_parents_books(tmp_path: Path) -> None:
    """Agent, labels, payer and price stay, when the agent has left and all else has changed."""
    roster = Roster()
    seen = process(WORKFLOW="shop-1", TASK="shop-1.2", STAGE="analyze", pays_by_key=False)
    agent = roster.appear(seen, session(), True, NINE_MS)
    with Store(tmp_path) as store:
        Pipeline(store, roster, PRICES, lambda path: ("api", "")).post(
            [scanned(parent(), log("conv-1"))], NOW
        )
        before = rows(store)
        later = Pipeline(store, Roster(), load_prices(DEARER), lambda path: ("api", ""))
        outcome = later.post([scanned(fork("conv-0", parent()), log("conv-0"))], NOW)
        assert {"conv-0"} == {book.conversation for book, _ in outcome.charged}
        after = rows(store)
    assert before == {book: after[book] for book in before}
    assert {(agent.record.id, "shop-1", "shop-1.2", "analyze", "subscription")} == {
        (book.agent, book.workflow, book.task, book.stage, book.source) for book in before
    }


def test_fork_of_a_reply_that_grows(tmp_path: Path) -> None:
    """A copy that knows more of a reply's output adds it to the book in which the reply stands."""
    roster = Roster()
    agent = roster.appear(process(TASK="t-1"), session(), False, NINE_MS)
    with Store(tmp_path) as store:
        first = scanned([assistant(usage(output=1))], log("conv-1"))
        Pipeline(store, roster, PRICES, lambda path: ("api", "")).post([first], NOW)
        copy = assistant(usage(output=500), sessionId="conv-2", requestSessionId="conv-1")
        later = Pipeline(store, Roster(), PRICES, lambda path: ("api", ""))
        later.post([scanned([copy], log("conv-2"))], NOW)
        ((book, totals),) = rows(store).items()
    assert (agent.record.id, "t-1", 500) == (book.agent, book.task, totals.output)


ORDERS = list(itertools.permutations(range(3)))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("fork_of_all", "fork_of_fork"), [("conv-0", "conv-2"), ("conv-3", "conv-2")]
)
def test_prompts_stay_where_they_were_sent(
    order: tuple[int, ...], fork_of_all: str, fork_of_fork: str
) -> None:
    """Prompts and replies are their maker's, in whatever order parent, fork and its fork are read."""
    first = fork(fork_of_all, parent())
    second = fork(fork_of_fork, first, made_by=fork_of_all, minute=11)
    scans = [scanned(parent()), scanned(first), scanned(second)]
    shelf = post(*(_records(scans[index]) for index in order))
    sums = {
        name: added_up(
            totals
            for (_, number), totals in shelf.sums.items()
            if shelf.book(number).conversation == name
        )
        for name in ("conv-1", fork_of_all, fork_of_fork)
    }
    assert {"conv-1": (2, 2), fork_of_all: (1, 1), fork_of_fork: (1, 1)} == {
        name: (totals.messages, totals.requests) for name, totals in sums.items()
    }


@pytest.mark.parametrize("cut", range(1, len(fork("conv-0", parent()))))
@pytest.mark.parametrize("parent_first", [True, False])
def test_prompts_stay_where_they_were_sent_in_any_cut(
    tmp_path: Path, cut: int, parent_first: bool
) -> None:
    """A reading that ends between a copied prompt and its reply leaves the prompt its maker's."""
    path = tmp_path / "conv-0.jsonl"
    lines = fork("conv-0", parent())
    path.write_bytes(as_block(lines[:cut]))
    first = scan_log(str(path), None, NOW)
    assert first
    path.write_bytes(as_block(lines))
    second = scan_log(str(path), first.mark, NOW)
    assert second
    told = [first, second]
    told.insert(0 if parent_first else 2, scanned(parent()))
    shelf = post(*(_records(scan) for scan in told))
    assert {"u1": "conv-1", "u2": "conv-1", "u-conv-0": "conv-0"} == {
        line: noted.prompt.conversation for line, noted in shelf.prompts.items()
    }


def _records(scan: Scan) -> list[Entry]:
    return [*scan.replies, *scan.prompts]


def test_fork_read_first(tmp_path: Path) -> None:
    """The parent's agent has what a fork's log told first, the prompts as well."""
    roster = Roster()
    agent = roster.appear(process(AGENT="a"), session(), False, NINE_MS)
    with Store(tmp_path) as store:
        river = Pipeline(store, roster, PRICES, lambda path: ("api", ""))
        river.post([scanned(fork("conv-0", parent()), log("conv-0"))], NOW)
        river.post([scanned(parent(), log("conv-1"))], NOW)
    assert _counts(agent.tally) == (2, 2)


def _counts(tally: Tally) -> tuple[int, int]:
    return tally.totals.messages, tally.totals.requests
