"""Labels of requests: told by environment, words, branches and orders, before or after they are booked."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.labels.labels import Labels, Layer
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.reading.scan import Scan, scan
from tollkeeper_daemon.records import FileMark
from tollkeeper_daemon.sources.tail import Reading
from tollkeeper_daemon.store.store import Store

from .lines import NINE_MS, NOW, as_block, as_line, assistant, scanned, user
from .machine import process, session
from .shelf import PRICES

MAIN = "/h/projects/-p/conv-1.jsonl"
HELPER = "/h/projects/-p/conv-1/subagents/agent-h1.jsonl"
DAY = 24 * 3_600_000
MIDNIGHT = NOW - 12 * 3_600_000
STAGES = {"analyst": "analyze"}


def at(minute: int) -> str:
    """So many minutes after nine."""
    return f"2026-11-22T09:{minute:02}:00Z"


def reply(minute: int, **more: Any) -> bytes:
    """A reply of its own at this minute."""
    name = f"{more.get('agentId', 'main')}-{minute}"
    return assistant(message=f"m-{name}", request=f"r-{name}", timestamp=at(minute), **more)


def helper(minute: int, kind: str = "analyst", **more: Any) -> bytes:
    """A reply of the helper."""
    return reply(minute, agentId="h1", attributionAgent=kind, isSidechain=True, **more)


def order(text: object, minute: int) -> bytes:
    """What the helper is told to do; its log begins so."""
    more = {"agentId": "h1", "isSidechain": True, "timestamp": at(minute), "uuid": "order"}
    return user(text, **more)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


class Desk:
    """A pipeline, with an agent in the conversation that bears these labels."""

    def __init__(self, store: Store, **labels: str) -> None:
        self.store = store
        self.roster = Roster()
        self.river = Pipeline(store, self.roster, PRICES, lambda path: ("api", ""))
        self.river.conversations.stage_of = lambda kind: STAGES.get(kind, "")
        self.river.begin_day(MIDNIGHT, MIDNIGHT + DAY)
        self.labels = {f"TOLL_{name}": value for name, value in labels.items()}

    def appear(self) -> LiveAgent:
        """The agent comes."""
        seen = replace(process(100), started=NINE_MS, labels=self.labels)
        agent = self.roster.appear(seen, session(100, "conv-1"), False, NINE_MS)
        self.river.settle(NOW)
        return agent

    def post(self, *lines: bytes, path: str = MAIN) -> None:
        """Post what is written to this log, all of it at once."""
        self.river.post([scanned(lines, path)], NOW)

    def say(self, agent: LiveAgent, labels: Labels, minute: int) -> None:
        """Somebody says that the agent's work is this, from so many minutes after nine on."""
        self.roster.belongs_to(agent, Layer.SAID, labels, NINE_MS + minute * 60_000)
        self.river.settle(NOW)

    def booked(self) -> dict[str, Labels]:
        """The labels that each request is booked under, by its message."""
        groups = self.store.read(
            lambda t: [
                (each.message, t.book(made.book))
                for _, group in t.all_groups()
                for each, made in zip(resolve(group.entries), group.charges, strict=True)
            ]
        )
        return {message: labels_of(book) for message, book in groups}


def labels_of(book: Book) -> Labels:
    """The work of a book."""
    return Labels(book.workflow, book.task, book.stage)


def test_environment(store: Store) -> None:
    """An agent's requests bear what its environment says, and what its task's id tells."""
    desk = Desk(store, TASK=".claude-4nq.1-analyze")
    agent = desk.appear()
    desk.post(reply(1))
    expected = Labels(".claude-4nq", ".claude-4nq.1-analyze", "analyze")
    assert {"m-main-1": expected} == desk.booked()
    assert expected == Labels(agent.record.workflow, agent.record.task, agent.record.stage)


def test_order_of_a_subagent(store: Store) -> None:
    """A task's id in what a subagent is told makes its requests that task's; the text is not kept."""
    desk = Desk(store, WORKFLOW="w")
    desk.appear()
    desk.post(reply(1))
    text = [{"type": "text", "text": "secret words\nTask: .claude-4nq.2-plan"}]
    desk.post(order(text, 2), helper(3, "planner"), path=HELPER)
    expected = Labels(".claude-4nq", ".claude-4nq.2-plan", "plan")
    assert {"m-main-1": Labels("w"), "m-h1-3": expected} == desk.booked()
    tables = store.read(lambda t: repr([*t.conversations(), *t.all_groups(), t.files()]))
    assert "secret" not in tables


def test_type_of_a_subagent(store: Store) -> None:
    """The type that stands for a stage is one within a workflow, and else says nothing."""
    desk = Desk(store, WORKFLOW="w", STAGE="work")
    desk.post(helper(1), helper(2, "explore"), path=HELPER)
    assert {Labels()} == {*desk.booked().values()}
    desk.appear()
    desk.post(helper(3), helper(4, "explore"), path=HELPER)
    booked = desk.booked()
    assert [Labels("w", stage="analyze"), Labels("w", stage="work")] == [
        booked["m-h1-3"],
        booked["m-h1-4"],
    ]


def test_branch(store: Store) -> None:
    """A task's id in the branch holds while the branch does; in the folder, too."""
    desk = Desk(store)
    desk.post(
        reply(1, gitBranch="main"),
        reply(2, gitBranch="feature/bd-4nq.1"),
        reply(3, gitBranch="main"),
        reply(4, gitBranch="main", cwd="/home/dev/.worktrees/bd-4nq.2/src"),
    )
    assert [Labels(), Labels("bd-4nq", "bd-4nq.1"), Labels(), Labels("bd-4nq", "bd-4nq.2")] == [
        desk.booked()[f"m-main-{minute}"] for minute in (1, 2, 3, 4)
    ]


def test_name_of_a_conversation(store: Store) -> None:
    """A task's id in the conversation's name holds for all of it, also if it is named later."""
    desk = Desk(store)
    desk.post(reply(1))
    desk.post(as_line({"type": "custom-title", "customTitle": "bd-4nq.1", "sessionId": "conv-1"}))
    assert {"m-main-1": Labels("bd-4nq", "bd-4nq.1")} == desk.booked()


def test_said_backwards(store: Store) -> None:
    """A label said of an earlier time moves exactly what was asked since, and its helpers' too."""
    desk = Desk(store, WORKFLOW="old")
    agent = desk.appear()
    desk.post(*map(reply, (1, 2, 3)))
    desk.post(helper(2), path=HELPER)
    before = replace(desk.river.today["api"].totals)
    desk.say(agent, Labels("new"), 2)
    assert {
        "m-main-1": Labels("old"),
        "m-main-2": Labels("new"),
        "m-main-3": Labels("new"),
        "m-h1-2": Labels("new", stage="analyze"),
    } == desk.booked()
    assert before == desk.river.today["api"].totals
    assert "new" == agent.record.workflow
    sums = {name: parts for name, parts in store.read(lambda t: list(t.work.sums()))}
    counts = {name: sum(part.totals.requests for part in parts) for name, parts in sums.items()}
    assert {"old": 1, "new": 3} == counts


def test_last_word(store: Store) -> None:
    """A label that is said of an earlier time than the one before takes its place."""
    desk = Desk(store)
    agent = desk.appear()
    desk.post(*map(reply, (1, 2, 3)))
    desk.say(agent, Labels("a"), 3)
    desk.say(agent, Labels("b"), 2)
    assert [Labels(), Labels("b"), Labels("b")] == [
        desk.booked()[f"m-main-{minute}"] for minute in (1, 2, 3)
    ]


def test_after_a_restart(store: Store) -> None:
    """What is read by a later daemon, which never saw the agent, bears the agent's labels all the same."""
    first = Desk(store, WORKFLOW="w")
    first.say(first.appear(), Labels(stage="s"), 2)
    later = Desk(store)
    later.post(reply(1), reply(3))
    assert {"m-main-1": Labels("w"), "m-main-3": Labels("w", stage="s")} == later.booked()


# Any order of telling.


class Said(Struct, frozen=True):
    """That the agent's work is this from a minute on."""

    minute: int
    labels: Labels


SAYINGS = st.builds(
    Said, st.integers(0, 9), st.builds(Labels, st.sampled_from(["", "w", "v"]), stage=st.just(""))
)
BRANCHES = st.sampled_from(["main", "bd-4nq.1", "bd-4nq.2"])


@st.composite
def logs(draw: st.DrawFn) -> dict[str, list[bytes]]:
    """The lines of a conversation and of its helper."""
    minutes = st.lists(st.integers(0, 9), min_size=1, max_size=5, unique=True).map(sorted)
    main: list[bytes] = []
    for minute in draw(minutes):
        branch = draw(BRANCHES)
        if draw(st.booleans()):
            before = f"2026-11-22T0{8 if minute == 0 else 9}:{(minute - 1) % 60:02}:30Z"
            main.append(user(uuid=f"u{minute}", timestamp=before, gitBranch=branch))
        main.append(reply(minute, gitBranch=branch))
    orders = [order(text, 0) for text in draw(st.sampled_from([[], ["task bd-4nq.7"], ["none"]]))]
    own = [*orders, *(helper(minute, gitBranch=draw(BRANCHES)) for minute in draw(minutes))]
    return {MAIN: main, HELPER: own}


@st.composite
def tellings(draw: st.DrawFn) -> list[Scan | Said]:
    """The logs, cut anywhere and in any order, and between them what is said."""
    queues: list[list[Scan | Said]] = [[each] for each in draw(st.lists(SAYINGS, max_size=3))]
    for path, lines in draw(logs()).items():
        cuts = sorted({0, len(lines), *draw(st.lists(st.integers(0, len(lines)), max_size=2))})
        mark, scans = FileMark(path), list[Scan | Said]()
        for start, end in pairwise(cuts):
            block = as_block(lines[start:end])
            mark = replace(mark, offset=mark.offset + len(block))
            found = scan(Reading((1, len(path)), block, mark, len(block)), NOW)
            mark = found.mark
            scans.append(found)
        queues.append(scans)
    told: list[Scan | Said] = []
    while queues := [queue for queue in queues if queue]:
        told.append(draw(st.sampled_from(queues)).pop(0))
    return told


@pytest.mark.timeout(240)
@settings(max_examples=200, deadline=None)
@given(tellings(), st.booleans())
def test_any_telling(told: list[Scan | Said], is_early: bool) -> None:
    """However it is told: each request stands under what is known of its time, and the sums with it."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        desk = Desk(store, WORKFLOW="env")
        agent = desk.appear() if is_early else None
        for each in told:
            if isinstance(each, Scan):
                desk.river.post([each], NOW)
            else:
                agent = agent or desk.appear()
                desk.say(agent, each.labels, each.minute)
        for noted in store.read(lambda t: list(t.prompts())):
            book = store.read(lambda t, noted=noted: t.book(noted.book))
            expected = desk.river.conversations.labels("conv-1", noted.prompt.time)
            assert expected == labels_of(book), noted
        as_booked: Counter[Labels] = Counter()
        for _, group in store.read(lambda t: list(t.all_groups())):
            for reply, made in zip(resolve(group.entries), group.charges, strict=True):
                book = store.read(lambda t, made=made: t.book(made.book))
                labels = desk.river.conversations.read("conv-1").labels
                expected = desk.river.conversations.labels(
                    "conv-1", reply.time, reply.subagent, reply.subagent_type
                )
                assert expected == labels_of(book), (reply, labels)
                as_booked[expected] += 1
        in_rows: Counter[Labels] = Counter()
        for (_, number), totals in store.read(lambda t: list(t.rows())):
            book = store.read(lambda t, number=number: t.book(number))
            in_rows[labels_of(book)] += totals.requests
        in_sums: Counter[Labels] = Counter()
        for workflow, parts in store.read(lambda t: list(t.work.sums())):
            for part in parts:
                in_sums[Labels(workflow, part.task, part.stage)] += part.totals.requests
        assert as_booked == in_rows
        assert +Counter({each: n for each, n in as_booked.items() if each}) == +in_sums
