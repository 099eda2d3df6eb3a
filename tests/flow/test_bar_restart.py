"""The bar over restarts: who is paused stays so, nothing is missed, and history moves no rule."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from freezing import await_frozen, await_running, is_frozen
from proc import needs_proc
from tollkeeper_daemon.intake.history import AT_ONCE_BYTES
from waiting import wait_until

from . import lines
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
    start_bounded_family,
    usual,
)
from .claude_home import ClaudeHome, Log
from .keeper import Keeper

pytestmark = needs_proc

REPO = Path(__file__).parents[2]
MEGABYTES = 60
WITH_STUBBORN_CHILD = ("sh", "-c", "(trap '' TERM; exec sleep 600) & wait")
either_end = pytest.mark.parametrize("end", [Keeper.stop, Keeper.kill], ids=["SIGTERM", "kill -9"])
End = Callable[[Keeper], object]


@either_end
def test_paused_over_a_restart(keeper: Keeper, end: End) -> None:
    """An agent stays frozen while no daemon runs; the next one knows it, and can resume it."""
    agent, children = start_bounded_family(keeper, per_agent=usual(1))
    overspend(agent)
    await_frozen(*children)
    pids = [agent.pid, *children]
    wait_until(lambda: kinds(keeper) == ["reached", "paused"])
    end(keeper)
    assert all(map(is_frozen, pids))
    keeper.start()
    keeper.wait_for(lambda status: [each.state for each in status.agents] == ["paused"])
    assert kinds(keeper) == ["reached", "paused"]
    assert resume(keeper, agent) == ["resumed"]
    await_running(*pids)
    assert kinds(keeper) == ["reached", "paused", "resumed"]


@either_end
def test_stop_goes_on_to_the_end(keeper: Keeper, end: End) -> None:
    """What a stopped agent leaves behind is ended by the next daemon when this one has no time to."""
    keeper.limit(per_agent=usual(1), action="stop", grace_seconds=60)
    keeper.start()
    agent = keeper.start_agent(labels=BILLED, command=WITH_STUBBORN_CHILD)
    agent.says("busy")
    await_known(keeper, agent)
    [child] = wait_until(lambda: psutil.Process(agent.pid).children())
    wait_until(lambda: child.cmdline()[0] == "sleep")
    agent.log.reply()
    wait_until(lambda: child.ppid() != agent.pid)
    end(keeper)
    assert child.is_running()
    keeper.limit(per_agent=usual(1), action="stop", grace_seconds=0.1)
    keeper.start()
    wait_until(lambda: not child.is_running())
    wait_until(lambda: kinds(keeper) == ["reached", "stopped"])


@either_end
def test_crossed_while_no_daemon_ran(keeper: Keeper, end: End) -> None:
    """An agent that went over its budget unseen is paused as soon as a daemon runs."""
    crossing, under = start_bounded(keeper, 2, per_agent=usual(2))
    for agent in (crossing, under):
        agent.log.reply()
    keeper.wait_for_requests(2)
    end(keeper)
    crossing.log.reply()
    keeper.start()
    await_frozen(crossing.pid)
    assert kinds(keeper, crossing) == ["reached", "paused"]
    assert (kinds(keeper, under), is_frozen(under.pid)) == ([], False)


@either_end
def test_a_bare_resume_holds_over_a_restart(keeper: Keeper, end: End) -> None:
    """Who was let go is not paused again by the same limit, whichever daemon runs."""
    [agent] = start_bounded(keeper, per_agent=usual(1))
    overspend(agent)
    wait_until(lambda: kinds(keeper) == ["reached", "paused"])
    resume(keeper, agent)
    end(keeper)
    keeper.start()
    agent.log.reply()
    keeper.wait_for_requests(2)
    assert not is_frozen(agent.pid)
    assert kinds(keeper) == ["reached", "paused", "resumed"]


def test_agent_of_a_home_that_is_not_followed_any_more(keeper: Keeper) -> None:
    """A daemon that follows other homes leaves an agent as it is; a later one knows how it is held."""
    held, agent = start_bounded(keeper, 2, per_agent=usual(1))
    overspend(held)
    wait_until(lambda: kinds(keeper) == ["reached", "paused"])
    keeper.stop()
    followed = keeper.environment["CLAUDE_CONFIG_DIR"]
    keeper.environment["CLAUDE_CONFIG_DIR"] = str(keeper.root / "other")
    keeper.start()
    assert keeper.toll.agents() == ()
    for verb in ("pause", "resume", "stop"):
        assert keeper.report(verb, all=True)["done"] == []
    assert is_frozen(held.pid) and not is_frozen(agent.pid)
    keeper.stop()
    keeper.environment["CLAUDE_CONFIG_DIR"] = followed
    keeper.start()
    assert {each.state for each in keeper.toll.agents()} == {"paused", "working"}
    assert resume(keeper, held) == ["resumed"]
    await_running(held.pid)
    assert kinds(keeper) == ["reached", "paused", "resumed"]


def test_died_while_no_daemon_ran(keeper: Keeper) -> None:
    """A paused agent that is gone when the daemon is back is forgotten, and nobody is signalled."""
    [agent] = start_bounded(keeper, per_agent=usual(1))
    overspend(agent)
    keeper.stop()
    agent.exit()
    keeper.start()
    keeper.wait_for(lambda status: [each.state for each in status.agents] == ["exited"])
    assert keeper.report("resume", all=True)["done"] == []
    assert b'"agents":[]' in keeper.paths.frozen.read_bytes()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up history that costs far more than any limit."""
    folder = tmp_path_factory.mktemp("corpus")
    command = [sys.executable, "benchmarks/corpus.py", folder, "--seed", "8"]
    subprocess.run(
        [*command, "--megabytes", str(MEGABYTES)], cwd=REPO, check=True, stdout=subprocess.DEVNULL
    )
    return folder


@pytest.mark.parametrize("killed", [False, True], ids=["in one go", "killed in the midst"])
def test_first_history_moves_no_rule(keeper: Keeper, corpus: Path, killed: bool) -> None:
    """Whatever a first import finds, of agents that run too: live replies count from nothing."""
    shutil.copytree(corpus / "projects", keeper.home.projects, dirs_exist_ok=True)
    keeper.limit(per_agent=usual(2), per_run=usual(4), daily=usual(4))
    agent = start_billed(keeper)
    agent.log.append(b"".join(lines.reply(agent.log.writer) for _ in range(50)))
    spent_today = keeper.home.log("earlier")
    spent_today.append(b"".join(lines.reply(spent_today.writer) for _ in range(50)))
    keeper.start()
    if killed:
        keeper.wait_for(lambda status: status.today.total.requests > 0)
        keeper.kill()
        keeper.start()
    keeper.wait_for(lambda status: status.daemon.importing is None, 40)
    assert keeper.agent(agent).usage.requests == 50
    status = keeper.toll.status()
    assert [limit.state for limit in (*status.limits, *status.agents[0].limits)] == ["under"] * 3
    assert [limit.used for limit in (*status.limits, *status.agents[0].limits)] == [0.0] * 3
    _quiet(keeper)
    assert not is_frozen(agent.pid)
    agent.log.reply()
    keeper.wait_for(lambda status: status.agents[0].usage.requests == 51)
    assert [limit.used for limit in keeper.agent(agent).limits] == [usual(1)]
    _quiet(keeper)
    overspend(agent)


def _quiet(keeper: Keeper) -> None:
    """Nothing was told of any limit."""
    assert journal(keeper) == []
    assert {alert.kind for alert in keeper.toll.status().alerts} <= {"unknown-model", "audit"}


@pytest.mark.parametrize("replies", [50, 6_000], ids=["at once", "imported"])
def test_history_of_a_home_that_is_followed_later(keeper: Keeper, replies: int) -> None:
    """What a home holds when it is first followed counts for no limit, what comes later does."""
    [agent] = start_bounded(keeper, per_agent=usual(2), daily=usual(4))
    keeper.stop()
    second = ClaudeHome(keeper.root / "second", keeper.root / "work")
    late = AgentProcess(second, labels=BILLED)
    try:
        late.says("busy")
        late.log.append(b"".join(lines.reply(late.log.writer) for _ in range(replies)))
        assert (late.log.path.stat().st_size > AT_ONCE_BYTES) == (replies > 50)
        keeper.environment["CLAUDE_CONFIG_DIR"] += f",{second.path}"
        keeper.start()
        keeper.wait_for_requests(replies, 40)
        keeper.wait_for(lambda status: status.daemon.importing is None, 40)
        assert keeper.agent(late).usage.requests == replies
        _quiet(keeper)
        agent.log.reply()
        late.log.reply()
        keeper.wait_for_requests(replies + 2)
        assert [limit.used for limit in keeper.agent(late).limits] == [usual(1)]
        _quiet(keeper)
        overspend(late)
        assert not is_frozen(agent.pid)
    finally:
        late.exit()


def test_lines_of_a_log_that_is_put_back(keeper: Keeper) -> None:
    """Of a ledger that is known, what is read late counts: it was spent under its limits."""
    [agent] = start_bounded(keeper, daily=usual(3))
    agent.log.reply()
    keeper.wait_for_requests(1)
    keeper.stop()
    late: Log = keeper.home.log("elsewhere")
    late.reply()
    late.reply()
    keeper.start()
    await_frozen(agent.pid)


def test_odd_things_among_refusals(keeper: Keeper) -> None:
    """What lies in the folder of refusals and can't be removed keeps no daemon from starting."""
    (keeper.paths.deny / "x").mkdir(parents=True)
    keeper.start()
    assert keeper.toll.status().agents == ()
