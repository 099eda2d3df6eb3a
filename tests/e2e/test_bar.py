"""The real client at the bar: paused in mid-run, resumed, stopped; and nobody else is touched."""

import subprocess

import psutil
import pytest

from flow.bounded import journal, kinds, resume
from flow.keeper import Keeper, Running
from freezing import await_frozen, is_frozen, state_of
from waiting import wait_until

from .client import Client
from .replies import Reply, delegate, say
from .spending import COST_USD, COSTS, play, start, working
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

# The fourth reply crosses it.
BOUND_USD = 0.07
REPLIES_TO_CROSS = 4


def spent_exactly(keeper: Keeper, run: Running, dollars: float) -> None:
    """In the end the agent's sum is what the client says, to the nano-dollar."""
    told = round(dollars, 9)
    keeper.wait_for(lambda _: keeper.agent(run).usage.cost_usd >= told)
    assert keeper.agent(run).usage.cost_usd == told


def pause(keeper: Keeper, stand_in: StandIn, client: Client) -> "subprocess.Popen[bytes]":
    """A run that is frozen at the reply that crosses its bound."""
    keeper.limit(per_agent=BOUND_USD)
    keeper.start()
    play(stand_in)
    run = start(client)
    await_frozen(run.pid, timeout=30)
    return run


def test_paused_in_mid_run_and_resumed(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """It is frozen at the reply that crosses, goes on when resumed, and its total is right."""
    run = pause(keeper, stand_in, client)
    agent = keeper.wait_for(lambda status: status.agents[0].state == "paused").agents[0]
    assert len(stand_in.asked) == len(stand_in.served) == REPLIES_TO_CROSS
    assert agent.usage.cost_usd == pytest.approx(REPLIES_TO_CROSS * COST_USD)
    assert agent.usage.cost_usd - COST_USD < BOUND_USD <= agent.usage.cost_usd
    assert kinds(keeper) == ["warned", "reached", "paused"]
    assert resume(keeper, run, add_usd=5) == ["resumed"]
    result = client.finish(run)
    assert (result.text, len(stand_in.served)) == ("All done.", 7)
    spent_exactly(keeper, run, result.total_cost_usd)
    assert kinds(keeper) == ["warned", "reached", "paused", "granted", "resumed"]


def test_second_client_beside_it(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A client of the same project and home goes on to its end while the first one is paused."""
    first = pause(keeper, stand_in, client)
    play(stand_in, "LITTLE", 2)
    second = start(client, "LITTLE")
    states: set[str] = set()
    wait_until(lambda: states.add(state_of(second.pid)) or second.poll() is not None, 30)
    assert not states & {"T", "t"}
    result = client.finish(second)
    assert result.text == "All done."
    spent_exactly(keeper, second, result.total_cost_usd)
    assert is_frozen(first.pid)
    assert len(stand_in.served) == REPLIES_TO_CROSS + 2
    assert {entry["pid"] for entry in journal(keeper)} == {first.pid}


def test_stopped(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """It ends by SIGTERM, and has put everything in order: its totals, and its session file."""
    keeper.limit(per_agent=BOUND_USD, action="stop")
    keeper.start()
    play(stand_in)
    run = start(client)
    run.wait(40)
    assert run.returncode in (143, -15)
    assert len(stand_in.served) == REPLIES_TO_CROSS
    [conversation] = client.session_ids()
    states = [line for line in client.log(conversation) if line.type == "cost-state"]
    assert states[-1].total_cost_usd == pytest.approx(REPLIES_TO_CROSS * COST_USD)
    assert client.session_files() == {}
    wait_until(lambda: kinds(keeper)[-1] != "reached")
    assert kinds(keeper) == ["warned", "reached", "stopped"]
    keeper.wait_for(lambda status: status.agents[0].state == "exited")


def sleepers(process: psutil.Process) -> list[int]:
    """The pids of the commands that it waits for."""
    return [each.pid for each in process.children(recursive=True) if name_of(each) == "sleep"]


def name_of(process: psutil.Process) -> str:
    """The name of the program it runs; empty when it is gone."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def test_descendants(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """What it started is frozen with it and goes on with it; the shell above it is not touched."""
    keeper.start()
    stand_in.play("GO", working("sleep 4"), say("All done.", tokens=COSTS))
    shell = start(client, under=["bash", "-c", '"$@"; true', "bash"])
    [pid] = wait_until(client.session_files)
    assert pid != shell.pid
    agent = psutil.Process(pid)
    [sleeper] = wait_until(lambda: sleepers(agent))
    keeper.wait_for(lambda status: [each.usage.requests for each in status.agents] == [1])
    keeper.report("limit.set", agent=str(pid), usd=COST_USD / 2)
    await_frozen(pid, sleeper)
    below = [child.pid for child in agent.children(recursive=True)]
    wait_until(lambda: all(state_of(each) in ("T", "Z", "") for each in below))
    assert state_of(shell.pid) == "S"
    assert resume(keeper, agent) == ["resumed"]
    assert not any(is_frozen(each) for each in (pid, sleeper))
    assert client.finish(shell).text == "All done."
    assert len(stand_in.served) == 2


def test_limit_hit_by_a_subagent(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """What a subagent spends counts for its agent, which is paused as a whole."""
    keeper.limit(per_agent=BOUND_USD)
    keeper.start()
    client.home.add_agent("analyst", "opus")
    call = delegate("SUBTASK: look", "analyst", background=False)
    started = Reply(text=call.text, tools=call.tools, tokens=COSTS)
    stand_in.play("GO", started, say("All done.", tokens=COSTS))
    play(stand_in, "SUBTASK", 6)
    run = start(client)
    await_frozen(run.pid, timeout=30)
    assert [bool(each.agent_id) for each in stand_in.served] == [False, True, True, True]
    assert len(stand_in.asked) == REPLIES_TO_CROSS
    agent = keeper.wait_for(lambda status: status.agents[0].state == "paused").agents[0]
    assert agent.usage.cost_usd == pytest.approx(REPLIES_TO_CROSS * COST_USD)
    assert sum(each.usage.requests for each in agent.subagents) == 3
    assert resume(keeper, run) == ["resumed"]
    spent_exactly(keeper, run, client.finish(run).total_cost_usd)


def test_budget_brought_along(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """TOLL_BUDGET_USD in a client's environment bounds that client, and no other."""
    keeper.start()
    play(stand_in)
    budget = {"TOLL_BUDGET_USD": str(BOUND_USD)}
    bounded, free = (start(client, extra_env=more) for more in (budget, {}))
    assert client.finish(free).text == "All done."
    await_frozen(bounded.pid)
    assert keeper.agent(bounded).usage.requests == REPLIES_TO_CROSS
    assert [limit.bound_usd for limit in keeper.agent(bounded).limits] == [BOUND_USD]
    assert keeper.agent(free).limits == ()
