"""Who pays, by the time of each line: changes of hands, in whatever order they are learned."""

import tempfile
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
from tollkeeper_daemon.agents.turns import Turned
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.paying.payers import MOST_KEPT, payer_at, with_payers
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.reading.scan import Scan, scan
from tollkeeper_daemon.records import FileMark
from tollkeeper_daemon.sources.tail import Reading
from tollkeeper_daemon.store.schema import AgentRecord, Conversation, Payer
from tollkeeper_daemon.store.store import Store

from .lines import NINE_MS, NOW, as_block, as_line, assistant, user
from .machine import process, session
from .shelf import PRICES, account_of_store
from .test_pipeline import agent_in, pipeline, post

MINUTE = 60_000
LOGS = {
    "main": "/h/projects/-p/conv-1.jsonl",
    "helper": "/h/projects/-p/conv-1/subagents/agent-a1.jsonl",
    "other": "/h/projects/-p/conv-2.jsonl",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


def at(minute: int) -> str:
    """The stamp of a line of so many minutes past nine."""
    return iso(NINE_MS + minute * MINUTE)


def owner(account: str, conversation: str = "conv-1") -> bytes:
    """The client names the account of the subscription."""
    line = {"type": "session-owner", "accountUuid": account, "sessionId": conversation}
    return as_line(line)


def reply(minute: int, **more: Any) -> bytes:
    """A reply of a minute, with ids of its own."""
    named: dict[str, Any] = {"message": f"m{minute}", "request": f"r{minute}"}
    named["timestamp"] = at(minute)
    return assistant(**{**named, **more})


def booked(store: Store) -> dict[tuple[str, str], int]:
    """How many requests each source and account has."""
    found: dict[tuple[str, str], int] = {}

    def work(transaction: Any) -> None:
        for (_, number), totals in transaction.rows():
            book = transaction.book(number)
            payer = (book.source, book.account)
            found[payer] = found.get(payer, 0) + totals.requests

    store.read(work)
    return {payer: count for payer, count in found.items() if count}


def test_login_midway(store: Store) -> None:
    """An account that a log names behind some replies pays from then on, read at once or later."""
    lines = [reply(1), owner("acc-1"), reply(2), owner("acc-1"), reply(3), owner("acc-2"), reply(4)]
    post(pipeline(store), *lines)
    expected = {("api", ""): 1, ("subscription", "acc-1"): 2, ("subscription", "acc-2"): 1}
    assert expected == booked(store)


def test_resumed_with_a_key(store: Store) -> None:
    """A conversation of a subscription that an agent on a key resumes is billed from then on.

    The client goes on repeating the account that the conversation began with.
    """
    roster = Roster()
    river = pipeline(store, roster)
    head = as_block([owner("acc-1"), user(timestamp=at(0)), reply(1)])
    first = scan(_reading(LOGS["main"], head, FileMark(LOGS["main"])), NOW)
    river.post([first], NOW)
    agent = roster.appear(process(started=NINE_MS + 2 * MINUTE), session(), False, NOW)
    rest = as_block([owner("acc-1"), reply(3), owner("acc-1"), reply(4)])
    river.post([scan(_reading(LOGS["main"], rest, first.mark), NOW)], NOW)
    assert {("subscription", "acc-1"): 1, ("api", ""): 2} == booked(store)
    assert "api" == agent.record.source


def test_refused_key(store: Store) -> None:
    """A key in the environment that the person refused pays nothing: the log names the account."""
    roster = Roster()
    agent = agent_in(roster)
    river = pipeline(store, roster)
    post(river, owner("acc-1"), user(timestamp=at(1)), reply(2))
    assert {("subscription", "acc-1"): 1} == booked(store)
    assert ("subscription", "acc-1") == (agent.record.source, agent.record.account)


def test_change_that_is_seen(store: Store) -> None:
    """Who is seen to pay later pays from then on; what was booked before stays."""
    roster = Roster()
    agent = agent_in(roster)
    river = pipeline(store, roster)
    post(river, reply(1))
    assert roster.is_paid_by(agent, "subscription", "acc-1", NINE_MS + 2 * MINUTE)
    post(river, reply(3))
    assert {("api", ""): 1, ("subscription", "acc-1"): 1} == booked(store)
    assert (1, 1) == (
        river.today["api"].totals.requests,
        river.today["subscription"].totals.requests,
    )
    assert {("api", ""), ("subscription", "acc-1")} == river.today_by_account.keys()


def test_change_that_is_learned_late(store: Store) -> None:
    """What was booked since moves to who paid, with its agent, and no sum is lost."""
    roster = Roster()
    agent = agent_in(roster, TASK="t-1")
    river = pipeline(store, roster)
    post(river, user(timestamp=at(2)), reply(1), reply(3))
    roster.is_paid_by(agent, "subscription", "acc-1", NINE_MS + 2 * MINUTE)
    outcome = river.settle(NOW)
    assert outcome
    assert {("api", ""): 1, ("subscription", "acc-1"): 1} == booked(store)
    assert {"t-1"} == {book.task for book, _ in outcome.charged}
    assert (0, 2) == (
        sum(totals.requests for _, totals in outcome.charged),
        agent.tally.totals.requests,
    )
    assert agent.tally.cost == river.today["api"].cost
    assert 1 == river.today["subscription"].totals.messages
    assert river.settle(NOW) is None


class Word(Struct):
    """What the home says."""

    source: str = "api"
    account: str = ""


def river_with(store: Store, word: Word, roster: Roster | None = None) -> Pipeline:
    """A pipeline whose only home says this word."""
    made = Pipeline(store, roster or Roster(), PRICES, lambda path: (word.source, word.account))
    made.begin_day(NINE_MS - NINE_MS % 86_400_000, NINE_MS + 86_400_000)
    return made


@pytest.mark.parametrize("restarts", [True, False])
def test_home_that_says_another(store: Store, restarts: bool) -> None:
    """Where no agent and no log tells, whom the home names pays for what comes from then on."""
    word = Word()
    river = river_with(store, word)
    post(river, reply(1), user(timestamp=at(3)))
    word.source, word.account = "subscription", "acc-1"
    if restarts:
        river = river_with(store, word)
    post(river, reply(1), reply(2), user(timestamp=at(2)), reply(4))
    post(river, reply(5), reply(6))
    assert {("api", ""): 2, ("subscription", "acc-1"): 3} == booked(store)
    word.account = "acc-2"
    post(river, reply(7))
    assert booked(store)["subscription", "acc-2"] == 1


def test_home_that_says_another_than_in_the_past(store: Store) -> None:
    """What was written while no daemon ran is paid as what came before it: nobody knows of a change."""
    word = Word()
    post(river_with(store, word), reply(1))
    word.source = "subscription"
    river = river_with(store, word)
    post(river, reply(2), live=False)
    post(river, reply(3))
    assert {("api", ""): 2, ("subscription", ""): 1} == booked(store)


def test_home_of_a_copy(store: Store) -> None:
    """What another home says of a log that holds copies changes nothing of what was copied."""
    word = Word()
    river = river_with(store, word)
    post(river, reply(1))
    word.source = "subscription"
    post(river, reply(1), reply(2), path=LOGS["other"])
    assert {("api", ""): 2} == booked(store)


@pytest.mark.parametrize("is_named", [True, False])
def test_home_that_is_not_asked(store: Store, is_named: bool) -> None:
    """Where the log, or an agent that is gone by now, tells who pays, the home changes nothing."""
    word = Word("subscription", "acc-2")
    roster = Roster()
    if is_named:
        post(river_with(store, word), owner("acc-1"), reply(1))
    else:
        agent_in(roster)
        post(river_with(store, word, roster), reply(1))
    word.account = "acc-3"
    post(river_with(store, word), reply(2), reply(3))
    assert {("subscription", "acc-1") if is_named else ("api", ""): 3} == booked(store)


def test_known_after_a_restart(store: Store) -> None:
    """Who paid when is kept, so that a log read again books the same."""
    roster = Roster()
    agent = agent_in(roster)
    river = pipeline(store, roster)
    post(river, reply(1))
    roster.is_paid_by(agent, "subscription", "acc-1", NINE_MS + 2 * MINUTE)
    river.settle(NOW)
    later = Roster()
    later.restore([agent.record], [], NOW)
    post(pipeline(store, later), reply(1), reply(3), reply(0))
    assert {("api", ""): 2, ("subscription", "acc-1"): 1} == booked(store)


def test_account_of_a_conversation(store: Store) -> None:
    """The account is that of the subscription which pays now, and nothing else."""
    river = pipeline(store)
    post(river, owner("acc-1"), reply(1), owner("acc-2"), reply(2))
    assert ("acc-2", "") == (river.account_of("conv-1"), river.account_of("conv-9"))


class Turn(Struct, frozen=True):
    """An agent turns to a conversation; no two do at the same moment."""

    conversation: str
    payer: Payer


minutes = st.integers(0, 9)
turns = st.builds(
    Turn,
    st.sampled_from(["conv-1", "conv-2"]),
    st.builds(
        Payer,
        minutes.map(lambda minute: NINE_MS + minute * MINUTE - 1),
        st.sampled_from(["api", "subscription"]),
        st.sampled_from(["", "acc-1"]),
    ),
)


@st.composite
def log_lines(draw: st.DrawFn, log: str) -> list[bytes]:
    """The lines of a log: replies and prompts as time goes, and accounts named between them."""
    conversation = "conv-2" if log == "other" else "conv-1"
    lines: list[bytes] = []
    for minute in sorted(draw(st.lists(minutes, max_size=6))):
        kind = draw(st.sampled_from(["reply", "reply", "prompt", "owner"]))
        if kind == "owner" and log != "helper":
            lines.append(owner(draw(st.sampled_from(["acc-1", "acc-2"])), conversation))
        elif kind == "prompt" and log != "helper":
            name = f"{log}-{minute}"
            lines.append(user(uuid=name, timestamp=at(minute), sessionId=conversation))
        else:
            # Copies of one reply, in several logs and of several times, are one request.
            name = draw(st.sampled_from([f"{log}-{minute}", "copied"]))
            lines.append(reply(minute, message=name, request=name, sessionId=conversation))
    return lines


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[list[Scan | Turn]], list[list[Scan | Turn]]]:
    """The same logs and turns, in two cuttings, orders and batches."""
    logs = {log: draw(log_lines(log)) for log in LOGS}
    turned = draw(st.lists(turns, max_size=3, unique_by=lambda turn: turn.payer.since))
    return draw(_telling(logs, turned)), draw(_telling(logs, turned))


@st.composite
def _telling(
    draw: st.DrawFn, logs: dict[str, list[bytes]], turned: list[Turn]
) -> list[list[Scan | Turn]]:
    queues: list[list[Scan | Turn]] = [[turn] for turn in turned]
    for log, lines in logs.items():
        cuts = sorted({0, len(lines), *draw(st.lists(st.integers(0, len(lines)), max_size=2))})
        mark = FileMark(LOGS[log])
        scans: list[Scan | Turn] = []
        for start, end in pairwise(cuts):
            found = scan(_reading(LOGS[log], as_block(lines[start:end]), mark), NOW)
            mark = found.mark
            scans.append(found)
        queues.append(scans)
    batches: list[list[Scan | Turn]] = [[]]
    while queues := [queue for queue in queues if queue]:
        batches[-1].append(draw(st.sampled_from(queues)).pop(0))
        if draw(st.booleans()):
            batches.append([])
    return batches


def _reading(path: str, block: bytes, mark: FileMark) -> Reading:
    mark = replace(mark, offset=mark.offset + len(block))
    return Reading(file=(1, len(path)), block=block, mark=mark, bytes=len(block))


@pytest.mark.timeout(240)
@settings(max_examples=150, deadline=None)
@given(tellings())
def test_books_do_not_depend_on_the_order(
    told: tuple[list[list[Scan | Turn]], list[list[Scan | Turn]]],
) -> None:
    """Any order and cutting of logs and turns gives the same groups, prompts, books and sums."""
    first, second = (_ledger(batches) for batches in told)
    assert first == second


def _ledger(batches: list[list[Scan | Turn]]) -> object:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        roster = Roster()
        river = Pipeline(store, roster, PRICES, lambda path: ("api", ""))
        river.begin_day(NINE_MS - NINE_MS % 86_400_000, NINE_MS + 86_400_000)
        for batch in batches:
            for each in batch:
                if isinstance(each, Turn):
                    payer = each.payer
                    record = AgentRecord("1-1", 1, "a", 0, "", source=payer.source)
                    agent = LiveAgent(replace(record, account=payer.account))
                    roster.turned.append(Turned(agent, each.conversation, payer.since))
                    river.settle(NOW)
            river.post([each for each in batch if isinstance(each, Scan)], NOW)
        prompts = store.read(
            lambda t: {noted.prompt.line: t.book(noted.book) for noted in t.prompts()}
        )
        today = {payer: tally for payer, tally in river.today_by_account.items() if tally.totals}
        return account_of_store(store), prompts, today


@given(st.permutations([Payer(since, "api") for since in (3, 1, 2)]))
def test_payers_are_in_order_of_time(payers: list[Payer]) -> None:
    """What is known stands in the order of time, each once, in whatever order it came."""
    known = Conversation()
    for payer in (*payers, *payers):
        known = with_payers(known, [payer])
    assert (1, 2, 3) == tuple(payer.since for payer in known.payers)


def test_many_payers() -> None:
    """Of very many only changes are kept, and each time still has its payer."""
    every = [Payer(time, "api" if time % 20 < 10 else "subscription") for time in range(1000)]
    known = with_payers(Conversation(), every)
    assert len(known.payers) <= MOST_KEPT
    assert all(payer_at(known, each.since).source == each.source for each in every)
