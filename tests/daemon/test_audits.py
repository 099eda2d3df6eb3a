"""Audits of a ledger: what was posted in any order and any cutting comes to the same findings."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fleeting import fleeting_folder
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.audit.audits import Audited, Audits
from tollkeeper_daemon.ledger.audit import Cause, Finding
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.records import Spent
from tollkeeper_daemon.retention import Retention
from tollkeeper_daemon.store.store import Store

from .lines import HAIKU, NOW, OPUS, assistant, sample_logs, usage, user
from .shelf import PRICES
from .statements import SMALL, after, cost_state, cut_log, replies_of
from .test_forks import fork, log

HELPER = "/h/projects/-home-dev-src-shop/conv-1/subagents/agent-a1.jsonl"
# Ten tokens of input and twenty of output, of Haiku.
SMALL_HAIKU = 11_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as opened:
        yield opened


def reply(number: int, conversation: str = "conv-1", minute: int = 0, **more: object) -> bytes:
    """A reply of the usual size."""
    return assistant(
        message=f"msg_{number}",
        request=f"req_{number}",
        sessionId=conversation,
        timestamp=f"2026-11-22T09:{minute:02}:01.000Z",
        **more,  # pyright: ignore[reportArgumentType]
    )


def own(conversation: str) -> list[bytes]:
    """The conversation as it was before its fork: a prompt and three replies, of two models."""
    return [
        user(uuid=f"u-{conversation}", sessionId=conversation),
        *(reply(n, conversation) for n in (1, 2)),
        assistant(usage(input=10, output=20), message="msg_3", model=HAIKU, sessionId=conversation),
    ]


def both(opus: int, haiku: int, conversation: str) -> bytes:
    """The totals after so many replies of each model."""
    small = Spent(10 * haiku, 20 * haiku, value=SMALL_HAIKU * haiku)
    return cost_state({OPUS: replies_of(opus), HAIKU: small}, conversation)


def post(store: Store, *batches: list[Scan]) -> None:
    pipeline = Pipeline(store, Roster(), PRICES, lambda path: ("api", ""))
    for batch in batches:
        pipeline.post(batch, NOW, live=False)


def audited(store: Store) -> dict[str, Finding | None]:
    """The finding of each conversation; the two ways to audit must come to the same."""
    found: list[Audited] = store.read(lambda t: list(Audits().audit_all(t)))
    names = [each.name for each in found]
    assert found == store.read(lambda t: list(Audits().audit(t, names)))
    return {each.name: each.finding for each in found}


def causes(store: Store) -> dict[str, Cause | None]:
    """Why each conversation differs, None where there is nothing to compare it with."""
    return {name: each.cause if each else None for name, each in audited(store).items()}


def test_conversation_and_subagent(store: Store) -> None:
    """The totals of a conversation include its subagents."""
    main = [reply(1), reply(2), both(2, 1, "conv-1")]
    helper = [reply(3, model=HAIKU, agentId="a1")]
    post(store, cut_log(log("conv-1"), main), cut_log(HELPER, helper))
    assert {"conv-1": Cause.NONE} == causes(store)


def test_sample_conversations(store: Store) -> None:
    """What the real client wrote agrees with the ledger, but for what no log holds."""
    logs = [cut_log(str(path), path.read_bytes().splitlines()) for path in sample_logs()]
    post(store, *logs)
    found = audited(store)
    assert {Cause.NONE} == {each.cause for each in found.values() if each}
    assert 3 <= sum(each is not None for each in found.values())


def test_without_totals(store: Store) -> None:
    """A conversation without the client's totals neither agrees nor differs."""
    post(store, cut_log(log("conv-1"), [reply(1)]))
    assert {"conv-1": None} == causes(store)


def test_unknown_conversation(store: Store) -> None:
    """A name that nobody knows is passed over."""
    assert [] == store.read(lambda t: list(Audits().audit(t, ["conv-1"])))


def test_fork_goes_on_from_its_parents_totals(store: Store) -> None:
    """What a fork inherits is what its parent's totals were, logged or not."""
    hidden = Spent(input=1_000, output=500, value=14_000_000)
    inherited = Spent(1_010, 520, value=14_000_000 + SMALL)
    grown = Spent(1_020, 540, value=14_000_000 + 2 * SMALL)
    parent = [reply(1), cost_state({OPUS: inherited})]
    child = [*fork("conv-2", parent[:1]), cost_state({OPUS: grown}, "conv-2")]
    post(store, cut_log(log("conv-1"), [*parent, reply(2), after(9)]))
    post(store, cut_log(log("conv-2"), child))
    assert hidden.value == inherited.value - SMALL
    assert Cause.NONE == causes(store)["conv-2"]


def test_branch_begins_with_nothing(store: Store) -> None:
    """A branch has its parent's lines, but not its totals."""
    post(store, cut_log(log("conv-1"), [reply(1), after(1)]))
    post(store, cut_log(log("conv-2"), [*fork("conv-2", [reply(1)]), after(1, "conv-2")]))
    assert {"conv-1": Cause.NONE, "conv-2": Cause.NONE} == causes(store)


def test_fork_whose_parent_has_no_totals(store: Store) -> None:
    """Where the parent's log is gone, what was copied of it stands for its totals."""
    post(store, cut_log(log("conv-2"), [*fork("conv-2", own("conv-1")), both(3, 1, "conv-2")]))
    assert Cause.NONE == causes(store)["conv-2"]


def test_older_fork(store: Store) -> None:
    """Copies without a mark belong to the smallest name; the others' totals count them as well."""
    for name in ("conv-2", "conv-1", "conv-3"):
        post(store, cut_log(log(name), [*own(name), both(2, 1, name)]))
    assert {f"conv-{n}": Cause.NONE for n in (1, 2, 3)} == causes(store)


def test_owner_found_later(store: Store) -> None:
    """A mark that comes later gives the requests to another: all their logs agree still."""
    post(store, cut_log(log("conv-1"), [*own("conv-1"), both(2, 1, "conv-1")]))
    post(store, cut_log(log("conv-2"), [*own("conv-2"), both(2, 1, "conv-2")]))
    marked = fork("conv-3", own("conv-2"), made_by="conv-2")
    post(store, cut_log(log("conv-3"), [*marked, both(3, 1, "conv-3")]))
    assert {f"conv-{n}": Cause.NONE for n in (1, 2, 3)} == causes(store)


def test_copies_outlive_their_requests(store: Store) -> None:
    """What was copied still counts when the requests were dropped, also what came of them later."""
    early = assistant(usage(input=10, output=1), message="msg_9", sessionId="conv-1")
    late = assistant(usage(input=10, output=20), message="msg_9", sessionId="conv-1")
    child = [*fork("conv-2", [*own("conv-1"), early]), both(4, 1, "conv-2")]
    post(store, cut_log(log("conv-2"), child))
    post(store, cut_log(log("conv-1"), [late]))
    before = audited(store)
    drop_all(store)
    assert before == audited(store)
    assert before["conv-2"] and before["conv-2"].agrees
    post(store, cut_log(log("conv-2"), child))
    assert before == audited(store)


def test_copies_outlive_their_requests_in_older_forks(store: Store) -> None:
    """Copies without a mark are kept as well, whoever of them owns the requests."""
    for name in ("conv-2", "conv-1", "conv-3"):
        post(store, cut_log(log(name), [*own(name), both(2, 1, name)]))
    drop_all(store)
    assert {f"conv-{n}": Cause.NONE for n in (1, 2, 3)} == causes(store)


def test_copies_that_are_read_too_late(store: Store) -> None:
    """Where a fork copied what was dropped before, that is the reason, unless the totals tell."""
    child = fork("conv-2", own("conv-1"))
    post(store, cut_log(log("conv-1"), own("conv-1")))
    drop_all(store)
    post(store, cut_log(log("conv-2"), [*child, both(3, 1, "conv-2")]))
    assert Cause.OLDER == causes(store)["conv-2"]
    post(store, cut_log(log("conv-1"), [*own("conv-1"), both(2, 1, "conv-1")]))
    assert {"conv-1": Cause.NONE, "conv-2": Cause.NONE} == causes(store)


def test_own_requests_that_were_dropped(store: Store) -> None:
    """A conversation's own requests count on in the sums."""
    post(store, cut_log(log("conv-1"), [*own("conv-1"), both(2, 1, "conv-1")]))
    drop_all(store)
    assert {"conv-1": Cause.NONE} == causes(store)


@pytest.mark.parametrize("kind", ["cache_write_5m", "cache_write_1h", "web_searches", "value"])
def test_totals_that_differ_in_one_kind_alone(store: Store, kind: str) -> None:
    """Each of the parent's totals is remembered, in whatever they differ."""
    plain = replies_of(2)
    others = [plain, replace(plain, **{kind: 7}), replace(plain, **{kind: 5_000})]
    for found in (others, others[::-1]):
        post(store, cut_log(log("conv-1"), [cost_state({OPUS: each}) for each in found]))
        kept = store.read(lambda t: t.evidence.statements("conv-1"))
        assert sorted(each.value for each in others) == [each.value for each in kept]
        assert {each.models for each in kept} == {((OPUS, each),) for each in others}


def drop_all(store: Store) -> None:
    """Requests get older than they are kept."""
    asyncio.run(Retention(store, 1).drop(NOW))
    assert 0 == store.read(lambda transaction: transaction.count("groups"))


def test_killed_and_resumed(store: Store) -> None:
    """What a killed client used is in the ledger, and explains why its totals are smaller."""
    lines = [reply(1), after(1, ran=900), reply(2, minute=1), reply(3, minute=2)]
    post(store, cut_log(log("conv-1"), lines))
    assert {"conv-1": Cause.PENDING} == causes(store)
    lines += [reply(4, minute=3), after(2, ran=1_800)]
    post(store, cut_log(log("conv-1"), lines))
    assert {"conv-1": Cause.LOST} == causes(store)


def test_more_than_the_client_saw(store: Store) -> None:
    """More in the ledger than in the totals of a client that ran all the while is unexplained."""
    post(store, cut_log(log("conv-1"), [reply(1), reply(2), after(1)]))
    assert {"conv-1": Cause.UNKNOWN} == causes(store)


LOGS = {
    log("conv-1"): [*own("conv-1"), both(2, 1, "conv-1"), reply(4, minute=5), both(4, 1, "conv-1")],
    f"/backup{log('conv-1')}": [*own("conv-1"), both(2, 1, "conv-1")],
    f"/backup{log('conv-0')}": own("conv-0"),
    log("conv-2"): [*fork("conv-2", own("conv-1")), both(3, 1, "conv-2")],
    log("conv-3"): [
        *fork("conv-3", fork("conv-2", own("conv-1")), made_by="conv-2", minute=20),
        both(4, 1, "conv-3"),
    ],
    log("conv-4"): [*own("conv-4"), reply(5, "conv-4", 30), both(3, 1, "conv-4")],
    log("conv-0"): [*own("conv-0"), both(2, 1, "conv-0"), reply(6, "conv-0", 40)],
    HELPER: [reply(7, agentId="a1", minute=50)],
}
EXPECTED = {
    "conv-0": Cause.PENDING,
    "conv-1": Cause.NONE,
    "conv-2": Cause.NONE,
    "conv-3": Cause.NONE,
    "conv-4": Cause.NONE,
}


@st.composite
def tellings(draw: st.DrawFn) -> list[list[Scan]]:
    """All logs, each cut somewhere and some read twice, in any order, in any batches."""
    queues = [
        cut_log(path, lines, draw(st.lists(st.integers(0, len(lines)), max_size=3)))
        for path, lines in LOGS.items()
    ]
    queues = [queue * draw(st.integers(1, 2)) for queue in queues]
    turns = draw(st.permutations([at for at, queue in enumerate(queues) for _ in queue]))
    scans = [queues[turn].pop(0) for turn in turns]
    cuts = sorted(draw(st.lists(st.integers(0, len(scans)), max_size=4)))
    return [scans[start:end] for start, end in zip([0, *cuts], [*cuts, len(scans)], strict=True)]


@settings(max_examples=60)
@given(tellings())
def test_any_order_and_any_cutting(batches: list[list[Scan]]) -> None:
    """The findings do not depend on the order, the cutting or the repetition of the reading.

    Nor do they change when all requests are dropped, and the logs read once more.
    """
    with fleeting_folder() as folder, Store(Path(folder) / "told") as store:
        post(store, *batches)
        found = audited(store)
        drop_all(store)
        assert found == audited(store)
        post(store, *batches)
        assert found == audited(store)
    assert EXPECTED == {name: each.cause for name, each in found.items() if each}
    with fleeting_folder() as folder, Store(Path(folder) / "plain") as store:
        post(store, *(cut_log(path, lines) for path, lines in LOGS.items()))
        assert found == audited(store)
