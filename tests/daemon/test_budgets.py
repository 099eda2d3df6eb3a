"""What is remembered of limits, and the board that shows how each stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.budgets.board import Board, Stand
from tollkeeper_daemon.budgets.memories import Memories
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.rules.limits import Limit, Scope, ScopeKind, Used
from tollkeeper_daemon.rules.settings import NANO, Limits
from tollkeeper_daemon.rules.terms import EVERY, NOTHING, Memory, Own
from tollkeeper_daemon.store.store import Store

from .lines import NOW, assistant, usage
from .test_pipeline import agent_in, pipeline, post

TASK, EVERY_DAY = Scope("task", "t1"), Scope("daily", EVERY)
# A reply of 20 tokens by Opus: 10 of input, 20 of output.
COST = 10 * 4_000 + 20 * 20_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


def kept(store: Store) -> tuple[object, object, object]:
    """All that is remembered, read anew."""
    memories = Memories(store)
    return memories.own, memories.of_limits, memories.excused


def in_mind(memories: Memories) -> tuple[object, object, object]:
    """All that is remembered, as it stands in memory."""
    return memories.own, memories.of_limits, memories.excused


# Memories.


def test_what_is_remembered_is_saved(store: Store) -> None:
    """After each change the store holds what memory does: so a restart changes nothing."""
    memories = Memories(store)
    agent = Scope("agent", "100-1")
    assert kept(store) == in_mind(memories) == ({}, {}, {})
    memories.set_own(TASK, "usd", Own(5, "stop"), NOW)
    memories.set_own(TASK, "tokens", Own(0), NOW)
    memories.set_own(EVERY_DAY, "usd", Own(7), NOW)
    assert kept(store) == in_mind(memories)
    memories.remember(
        {
            (TASK, "usd"): Memory(0.8, 3, {"100-1": "pause", "101-2": "stop"}),
            (agent, "usd"): NOTHING,
        },
        NOW,
    )
    assert kept(store) == in_mind(memories)
    memories.excuse({agent: Used(1, 2, 3), TASK: Used(4, 5, 6)}, NOW)
    memories.excuse({agent: Used(10, 20, 30)}, NOW)
    assert kept(store) == in_mind(memories)
    assert Used(11, 22, 33) == memories.excused[agent]
    memories.remember({(TASK, "usd"): Memory(1.0)}, NOW)
    assert kept(store) == in_mind(memories)


def test_a_limit_is_taken_back_once(store: Store) -> None:
    """Clearing leaves the limit in the other unit alone, and does nothing where there is none."""
    memories = Memories(store)
    memories.set_own(TASK, "usd", Own(5), NOW)
    memories.set_own(TASK, "tokens", Own(6), NOW)
    memories.clear_own(TASK, "usd", NOW)
    memories.clear_own(TASK, "usd", NOW)
    memories.clear_own(EVERY_DAY, "usd", NOW)
    assert {(TASK, "tokens"): Own(6)} == memories.own == Memories(store).own


def test_what_is_over_is_forgotten(store: Store) -> None:
    """Nothing is left of the scopes that are forgotten, in memory or in the store; others stay."""
    memories = Memories(store)
    gone, other = Scope("run", "run-1"), Scope("run", "run-2")
    for scope in (gone, other):
        memories.set_own(scope, "usd", Own(5), NOW)
        memories.remember({(scope, "usd"): Memory(0.5), (scope, "tokens"): Memory(0.9)}, NOW)
        memories.excuse({scope: Used(1)}, NOW)
    assert {gone, other} == memories.scopes()
    memories.forget({gone, TASK}, NOW)
    assert {other} == memories.scopes()
    assert kept(store) == in_mind(memories)
    memories.forget({TASK}, NOW)
    assert {other} == Memories(store).scopes()


def test_what_nothing_is_known_of(store: Store) -> None:
    """A limit of which nothing is remembered was not told of, and acted on nobody."""
    assert Memory(0.0, 0, {}) == Memories(store).of((TASK, "usd"))


# The board.


class Desk(Struct):
    """A board with its parts; the settings may be replaced."""

    river: Pipeline
    memories: Memories
    settings: Limits = Limits()

    @property
    def roster(self) -> Roster:
        return self.river.roster

    @property
    def board(self) -> Board:
        return Board(self.memories, self.river, self.roster, lambda: self.settings)

    def used(self, scope: Scope) -> tuple[int, int]:
        """What counts of the scope: billed, and tokens."""
        found = self.board.used(scope)
        return found.cost, found.tokens


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(pipeline(store, Roster()), Memories(store))


def bound(kind: ScopeKind, name: str, tokens: bool = False) -> Limit:
    """A limit on this scope."""
    return Limit(Scope(kind, name), "tokens" if tokens else "cost", 100, "pause")


def subscribed(desk: Desk) -> LiveAgent:
    """An agent that a subscription pays for."""
    agent = agent_in(desk.roster, "conv-2", 101)
    agent.record = replace(agent.record, source="subscription")
    return agent


def test_what_each_scope_used(desk: Desk) -> None:
    """Agent, run and day count from the start, what is watched as soon as it is."""
    agent = agent_in(desk.roster, WORKFLOW="w1", TASK="t1")
    post(desk.river, assistant())
    for scope in (
        Scope("agent", agent.record.id),
        Scope("run", agent.record.run),
        Scope("daily", desk.river.day),
    ):
        assert (COST, 30) == desk.used(scope)
    for field, value in (("workflow", "w1"), ("task", "t1"), ("conversation", "conv-1")):
        desk.river.watch([(field, value)])
    for scope in (Scope("workflow", "w1"), TASK, Scope("conversation", "conv-1")):
        assert (COST, 30) == desk.used(scope)
    assert (0, 0) == desk.used(Scope("agent", "1-1"))


def test_history_is_not_counted(desk: Desk) -> None:
    """What was used before anybody watched is taken off, and goes on being off."""
    agent = agent_in(desk.roster)
    scope = Scope("agent", agent.record.id)
    post(desk.river, assistant())
    desk.memories.excuse({scope: desk.board.spent(scope)}, NOW)
    assert (0, 0) == desk.used(scope)
    post(desk.river, assistant(usage(output=1_000), message="m2", request="r2"))
    assert (20_000_000, 1_000) == desk.used(scope)


def test_whom_limits_bind(desk: Desk) -> None:
    """A limit binds who is in its scope; one of what is billed only those who are billed."""
    billed = agent_in(desk.roster, WORKFLOW="w1", TASK="t1")
    other = subscribed(desk)
    record = billed.record
    names: list[tuple[ScopeKind, str]] = [
        ("agent", record.id),
        ("run", record.run),
        ("workflow", "w1"),
        ("task", "t1"),
        ("conversation", "conv-1"),
        ("daily", desk.river.day),
    ]
    for kind, name in names:
        assert desk.board.binds(bound(kind, name), billed)
        assert not desk.board.binds(bound(kind, name), other)
        if kind != "daily":
            assert not desk.board.binds(bound(kind, f"{name}-other"), billed)
    assert desk.board.binds(bound("daily", desk.river.day, tokens=True), other)
    assert desk.board.binds(bound("run", record.run, tokens=True), other)


def test_who_pays_is_not_known_yet(desk: Desk) -> None:
    """An agent of an unknown payer is bound until what it does turns out not to be billed."""
    agent = agent_in(desk.roster)
    agent.record = replace(agent.record, source="")
    daily = bound("daily", desk.river.day)
    assert desk.board.binds(daily, agent)
    agent.tally.totals.value = 5
    assert not desk.board.binds(daily, agent)
    agent.tally.cost = 5
    assert desk.board.binds(daily, agent)


def test_views(desk: Desk) -> None:
    """A limit is shown in its own unit, with how much of it is used and what came of that."""
    agent = agent_in(desk.roster)
    scope = Scope("agent", agent.record.id)
    dollars = Limit(scope, "cost", 2 * NANO, "stop", (0.5,))
    states: dict[int, str] = {0: "under", NANO - 1: "under", NANO: "warned", 2 * NANO: "reached"}
    for used, state in states.items():
        assert state == desk.board.view(Stand(dollars, used)).state
    found = desk.board.view(Stand(dollars, 3 * NANO))
    assert ("agent:a100", 2.0, None) == (found.scope, found.bound_usd, found.bound_tokens)
    assert (3.0, 1.5, "stop") == (found.used, found.fraction, found.action)
    tokens = desk.board.view(Stand(Limit(scope, "tokens", 300, "warn"), 100))
    assert (None, 300, 100, 0.3333) == (
        tokens.bound_usd,
        tokens.bound_tokens,
        tokens.used,
        tokens.fraction,
    )


def test_names_of_scopes(desk: Desk) -> None:
    """Run and day are called so; all others by kind and name, an agent that left by its id."""
    agent = agent_in(desk.roster)
    name = desk.board.scope_name
    assert ["run", "daily", "daily", "task:t1"] == [
        name(Scope("run", "run-1")),
        name(Scope("daily", desk.river.day)),
        name(EVERY_DAY),
        name(TASK),
    ]
    assert ["agent:a100", "agent:9-9"] == [
        name(Scope("agent", agent.record.id)),
        name(Scope("agent", "9-9")),
    ]


def test_which_limits_there_are(desk: Desk) -> None:
    """Agents show their own limits, the status the shared ones, those by hand behind the others."""
    agent = agent_in(desk.roster)
    desk.memories.set_own(TASK, "tokens", Own(9, "warn"), NOW)
    assert ["agent:a100"] == [each.scope for each in desk.board.of_agent(agent)]
    assert ["run", "daily", "task:t1"] == [each.scope for each in desk.board.shared()]
    desk.settings = Limits(0, 0, 0)
    assert () == desk.board.of_agent(agent)
    assert ["task:t1"] == [each.scope for each in desk.board.shared()]


def test_every_run_is_that_of_now(desk: Desk) -> None:
    """A limit on every run or day stands for that of now, once there is one."""
    assert [EVERY_DAY, Scope("daily", desk.river.day)] == desk.board.instances(EVERY_DAY)
    assert [Scope("run", EVERY)] == desk.board.instances(Scope("run", EVERY))
    agent = agent_in(desk.roster)
    run = Scope("run", agent.record.run)
    assert [Scope("run", EVERY), run] == desk.board.instances(Scope("run", EVERY))
    assert [TASK] == desk.board.instances(TASK)
    found = desk.board.stand_if(Scope("run", EVERY), "usd", Own(7))
    assert found
    assert (run, 7) == (found.limit.scope, found.limit.bound)
    assert desk.board.stand_if(TASK, "usd", Own(0)) is None
