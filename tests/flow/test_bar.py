"""The bar: agents over their budget are held at once, and nobody else is touched."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from freezing import await_frozen, await_running, is_frozen
from proc import needs_proc
from waiting import wait_until

from . import lines
from .bounded import (
    await_children,
    await_known,
    journal,
    kinds,
    overspend,
    resume,
    start_billed,
    start_bounded,
    start_bounded_family,
    start_known,
    usual,
)
from .keeper import Keeper

pytestmark = needs_proc

TWENTY = 20
DEAF = ("sh", "-c", "trap '' TERM; while :; do sleep 600; done")


def test_paused_by_the_reply_that_crosses(keeper: Keeper) -> None:
    """Below its bound an agent runs, at 80 % it is told of, and at the bound it is frozen."""
    [agent] = start_bounded(keeper, per_agent=usual(5))
    for count, state in enumerate(["under", "under", "under", "warned"], 1):
        agent.log.reply()
        keeper.wait_for_requests(count)
        assert [limit.state for limit in keeper.agent(agent).limits] == [state]
        assert not is_frozen(agent.pid)
    overspend(agent)
    assert kinds(keeper) == ["warned", "reached", "paused"]
    seen = keeper.agent(agent)
    assert (seen.state, seen.usage.cost_usd) == ("paused", usual(5))
    assert [alert.kind for alert in keeper.toll.status().alerts] == ["warned", "reached"]


def test_twenty_at_once(keeper: Keeper) -> None:
    """Twenty agents that cross together are all frozen, each over by no more than its last reply."""
    agents = start_bounded(keeper, TWENTY, per_agent=usual(2.9))
    for _ in range(3):
        for agent in agents:
            agent.log.reply()
    await_frozen(*(agent.pid for agent in agents))
    keeper.wait_for(lambda status: {each.state for each in status.agents} == {"paused"})
    for each in keeper.toll.agents():
        assert each.usage.cost_usd == pytest.approx(usual(3))
        assert each.usage.cost_usd - usual(1) < usual(2.9)
    assert sorted(kinds(keeper)) == ["paused"] * TWENTY + ["reached"] * TWENTY


def test_one_of_two_in_a_directory(keeper: Keeper) -> None:
    """Of two agents in one directory only the one over its budget is frozen."""
    spender, other = start_bounded(keeper, 2, per_agent=usual(1))
    overspend(spender)
    assert not is_frozen(other.pid)
    assert {entry["pid"] for entry in journal(keeper)} == {spender.pid}


def test_descendants(keeper: Keeper) -> None:
    """What an agent started is frozen with it, and goes on with it."""
    agent, children = start_bounded_family(keeper, per_agent=usual(1))
    overspend(agent)
    await_frozen(*children)
    assert resume(keeper, agent) == ["resumed"]
    await_running(agent.pid, *children)


def test_resumed_by_somebody_else(keeper: Keeper) -> None:
    """SIGCONT from elsewhere is noticed and noted, and what the agent started goes on with it."""
    agent, children = start_bounded_family(keeper, per_agent=usual(1))
    overspend(agent)
    await_frozen(*children)
    agent.resume()
    wait_until(lambda: kinds(keeper) == ["reached", "paused", "resumed"])
    assert journal(keeper)[-1]["cause"] == "elsewhere"
    await_running(agent.pid, *children)
    agent.log.reply()
    keeper.wait_for_requests(2)
    assert not is_frozen(agent.pid)


def test_listeners_hear_of_a_thaw(keeper: Keeper) -> None:
    """Who follows the updates hears that an agent that somebody else let go on is held no more."""
    [agent] = start_bounded(keeper, per_agent=usual(1))
    with keeper.feed() as feed:
        overspend(agent)
        wait_until(lambda: (now := feed.latest(1).agents[0]).held and now.state == "paused")
        agent.resume()
        wait_until(lambda: feed.latest(1).agents[0].held is None)
        assert feed.latest(0.5).agents == keeper.toll.agents()


def test_stopped(keeper: Keeper) -> None:
    """With the action stop an agent ends by SIGTERM, and what it started ends with it."""
    agent, pids = start_bounded_family(keeper, per_agent=usual(1), action="stop")
    children = [psutil.Process(pid) for pid in pids]
    agent.log.reply()
    assert agent.process.wait(10) == -signal.SIGTERM
    wait_until(lambda: not any(child.is_running() for child in children))
    wait_until(lambda: kinds(keeper) == ["reached", "stopped"])


def test_deaf_to_sigterm(keeper: Keeper) -> None:
    """Who does not end within the grace period is killed, and the journal says so."""
    keeper.limit(per_agent=usual(1), action="stop", grace_seconds=0.5)
    keeper.start()
    [agent] = start_known(keeper, 1, command=DEAF)
    await_children(agent, 1)
    agent.log.reply()
    assert agent.process.wait(10) == -signal.SIGKILL
    wait_until(lambda: kinds(keeper) == ["reached", "killed"])


@pytest.mark.parametrize(
    "named",
    [
        {"procStart": "1", "startedAt": 1},
        {"procStart": None, "startedAt": None},
        {"procStart": None},
    ],
    ids=["another start", "no start", "a start in ms alone"],
)
def test_session_file_of_another_process(keeper: Keeper, named: dict[str, Any]) -> None:
    """A session file that names the pid of what is not its client never leads to a signal."""
    keeper.limit(per_agent=usual(1), daily=usual(1))
    keeper.start()
    stranger = keeper.start_agent("left-over")
    stranger.says("busy", **named)
    agent = start_billed(keeper)
    await_known(keeper, agent)
    stranger.log.reply()
    overspend(agent)
    assert not is_frozen(stranger.pid)
    assert {entry["pid"] for entry in journal(keeper) if entry["pid"]} == {agent.pid}


@pytest.mark.skipif(os.getuid() != 0, reason="only root may make a pid namespace")
def test_reused_pid() -> None:
    """A process that has the pid of an agent that was paused gets no signal, whatever is asked."""
    done = subprocess.run(
        ["unshare", "--fork", "--pid", "--mount-proc", sys.executable, "-m", "flow.reuse_pid"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    if "unshare" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert (done.stdout.splitlines(), done.stderr) == (["frozen", "reused", "untouched"], "")


def test_late_line_of_an_agent_that_is_gone(keeper: Keeper) -> None:
    """The crossing line of an agent that ended meanwhile moves nothing."""
    agent, other = start_bounded(keeper, 2, per_agent=usual(1))
    agent.exit()
    keeper.wait_for(lambda status: "exited" in {each.state for each in status.agents})
    agent.log.append(lines.reply(agent.log.writer))
    keeper.wait_for_requests(1)
    assert not is_frozen(other.pid)
    assert kinds(keeper) == []
