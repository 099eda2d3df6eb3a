"""Limits of every kind at the bar: whom each binds, and what a raise, a resume and a clear do."""

from typing import Any

import pytest

from freezing import await_frozen, await_running, is_frozen
from proc import needs_proc
from waiting import wait_until

from .agent_process import AgentProcess
from .bounded import (
    BILLED,
    await_known,
    journal,
    kinds,
    overspend,
    resume,
    start_billed,
    start_bounded,
    start_subscribed,
    usual,
)
from .keeper import Keeper
from .lines import USUAL

pytestmark = needs_proc


def test_daily_limit_binds_who_is_billed(keeper: Keeper) -> None:
    """At a shared limit every agent on an API key is paused, and none on a subscription."""
    keeper.home.subscribe()
    billed = start_bounded(keeper, 2, daily=usual(3))
    subscribed = start_subscribed(keeper)
    for _ in range(5):
        subscribed.log.reply()
    keeper.wait_for_requests(5)
    assert not is_frozen(billed[0].pid)
    for agent in (*billed, billed[0]):
        agent.log.reply()
    await_frozen(*(agent.pid for agent in billed))
    assert not is_frozen(subscribed.pid)
    assert kinds(keeper) == ["reached", "paused", "paused"]
    assert keeper.agent(subscribed).source == "subscription"


def test_value_counts_a_subscription_too(keeper: Keeper) -> None:
    """With counts = "value" the list price of a subscription's replies is bounded as well."""
    keeper.home.subscribe()
    [billed] = start_bounded(keeper, daily=usual(3), counts="value")
    subscribed = start_subscribed(keeper)
    for agent in (billed, subscribed, subscribed):
        agent.log.reply()
    await_frozen(billed.pid, subscribed.pid)


def test_new_agent_under_a_limit_that_is_reached(keeper: Keeper) -> None:
    """Who starts when the day's budget is spent is paused before its first reply."""
    [first] = start_bounded(keeper, daily=usual(1))
    overspend(first)
    second = start_billed(keeper)
    await_frozen(second.pid)
    assert kinds(keeper, second) == ["paused"]
    assert [alert.kind for alert in keeper.toll.status().alerts] == ["reached", "paused"]


def test_run_limit(keeper: Keeper) -> None:
    """The agents of a run share its limit."""
    one, two = start_bounded(keeper, 2, per_run=usual(2))
    one.log.reply()
    keeper.wait_for_requests(1)
    assert not is_frozen(one.pid)
    two.log.reply()
    await_frozen(one.pid, two.pid)


def _scope(agent: AgentProcess, kind: str) -> dict[str, str]:
    return {kind: agent.conversation if kind == "conversation" else "w-1"}


@pytest.mark.parametrize("kind", ["workflow", "task", "conversation"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_limit_on_a_piece_of_work(keeper: Keeper, kind: str, before: bool) -> None:
    """A limit on a workflow, task or conversation binds its agents, set before or after it is spent."""
    keeper.limit()
    keeper.start()
    labels = {} if kind == "conversation" else {kind.upper(): "w-1"}
    inside, outside = start_billed(keeper, **labels), start_billed(keeper)
    await_known(keeper, inside, outside)
    limit: dict[str, Any] = {**_scope(inside, kind), "usd": usual(2)}
    if before:
        keeper.report("limit.set", **limit)
    for _ in range(2):
        inside.log.reply()
        outside.log.reply()
    keeper.wait_for_requests(4)
    if not before:
        dry = keeper.report("limit.set", **limit, dry_run=True)
        assert [each["pid"] for each in dry["hit"]] == [inside.pid]
        assert not is_frozen(inside.pid)
        done = keeper.report("limit.set", **limit)["hit"]
        assert [{**each, "held": "paused"} for each in dry["hit"]] == done
    await_frozen(inside.pid)
    assert not is_frozen(outside.pid)
    scope = f"{kind}:{_scope(inside, kind)[kind]}"
    assert {entry["scope"] for entry in journal(keeper)} == {scope}
    assert [each.scope for each in keeper.toll.status().limits] == [scope]


def test_token_limit(keeper: Keeper) -> None:
    """A limit in tokens holds an agent on a subscription as well."""
    keeper.limit()
    keeper.home.subscribe()
    keeper.start()
    agent = start_subscribed(keeper)
    keeper.report("limit.set", agent=str(agent.pid), tokens=2 * USUAL.total)
    agent.log.reply()
    keeper.wait_for_requests(1)
    assert not is_frozen(agent.pid)
    overspend(agent)
    [limit] = keeper.agent(agent).limits
    assert (limit.used, limit.bound_tokens, limit.state) == (2 * USUAL.total,) * 2 + ("reached",)


def test_strictest_action_wins(keeper: Keeper) -> None:
    """Of two limits reached at once the stricter is carried out, and each tells its own scope.

    Only the one that holds the agent is why it is held.
    """
    [agent] = start_bounded(keeper, per_agent=usual(1), action="warn")
    keeper.report("limit.set", daily=True, usd=usual(1), action="pause")
    overspend(agent)
    wait_until(lambda: kinds(keeper).count("reached") == 2)
    reached = [entry for entry in journal(keeper) if entry["kind"] == "reached"]
    name = keeper.agent(agent).name
    assert {(entry["scope"], entry["action"]) for entry in reached} == {
        (f"agent:{name}", "warn"),
        ("daily", "pause"),
    }
    [paused] = [entry for entry in journal(keeper) if entry["kind"] == "paused"]
    assert paused["scope"] == "daily"
    held = keeper.agent(agent).held
    assert held
    assert ("oday's limit" in held.reason, name in held.reason) == (True, False)


def test_warn_holds_nobody(keeper: Keeper) -> None:
    """With the action warn it is told once, and the agent goes on."""
    [agent] = start_bounded(keeper, per_agent=usual(1), action="warn")
    for count in (1, 2):
        agent.log.reply()
        keeper.wait_for_requests(count)
    assert not is_frozen(agent.pid)
    assert kinds(keeper) == ["reached"]
    assert [alert.kind for alert in keeper.toll.status().alerts] == ["reached"]


def test_bare_resume(keeper: Keeper) -> None:
    """Who was let go is not paused by the same limit again, but by another one."""
    [agent] = start_bounded(keeper, per_agent=usual(1), daily=usual(3))
    overspend(agent)
    assert resume(keeper, agent) == ["resumed"]
    await_running(agent.pid)
    agent.log.reply()
    keeper.wait_for_requests(2)
    assert not is_frozen(agent.pid)
    overspend(agent)
    assert journal(keeper)[-1]["scope"] == "daily"


def test_resume_with_more_budget(keeper: Keeper) -> None:
    """With more budget a limit starts anew: told of near its end, and carried out at it."""
    [agent] = start_bounded(keeper, per_agent=usual(1))
    overspend(agent)
    assert resume(keeper, agent, add_usd=usual(4)) == ["resumed"]
    [limit] = keeper.agent(agent).limits
    assert (limit.bound_usd, limit.state) == (usual(5), "under")
    for count in (2, 3, 4):
        agent.log.reply()
        keeper.wait_for_requests(count)
    assert not is_frozen(agent.pid)
    overspend(agent)
    again = ["granted", "resumed", "warned", "reached", "paused"]
    assert kinds(keeper) == ["reached", "paused", *again]


def test_raised_limit_offers(keeper: Keeper) -> None:
    """A limit that is raised above what is used lets nobody go, but says who could."""
    [agent] = start_bounded(keeper, daily=usual(1))
    overspend(agent)
    answer = keeper.report("limit.set", daily=True, usd=usual(9))
    assert answer["offered"] == [keeper.agent(agent).name]
    assert is_frozen(agent.pid)
    assert resume(keeper, agent) == ["resumed"]
    await_running(agent.pid)


@pytest.mark.parametrize("brought", ["0.02", "0.2"])
def test_budget_in_the_environment(keeper: Keeper, brought: str) -> None:
    """TOLL_BUDGET_USD takes the place of the settings' own bound, be it lower or higher."""
    keeper.limit(per_agent=0.1)
    keeper.start()
    agent = start_billed(keeper, BUDGET_USD=brought)
    other = start_billed(keeper)
    await_known(keeper, agent, other)
    for _ in range(5):
        other.log.reply()
    await_frozen(other.pid)
    for _ in range(1 if brought == "0.02" else 9):
        agent.log.reply()
    await_frozen(agent.pid)
    assert [limit.bound_usd for limit in keeper.agent(agent).limits] == [float(brought)]


def test_two_daemons_on_one_home(keeper: Keeper) -> None:
    """Two daemons on one home each keep to their own limits; a word to either frees the agent."""
    keeper.limit(per_agent=usual(1))
    keeper.start()
    with Keeper(keeper.home) as other:
        other.limit(per_agent=usual(2))
        other.start()
        agent = keeper.start_agent(labels=BILLED)
        agent.says("busy")
        await_known(keeper, agent)
        await_known(other, agent)
        overspend(agent)
        other.wait_for(lambda status: status.agents[0].state == "paused")
        assert (kinds(keeper), kinds(other)) == (["reached", "paused"], [])
        assert resume(other, agent) == ["resumed"]
        await_running(agent.pid)
        wait_until(lambda: journal(keeper)[-1]["cause"] == "elsewhere")
        overspend(agent)
        assert kinds(other) == ["resumed", "reached", "paused"]
        assert kinds(keeper) == ["reached", "paused", "resumed"]
