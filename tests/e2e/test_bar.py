"""The real client at the bar: paused in mid-run, resumed, stopped; and nobody else is touched."""

import subprocess

import psutil
import pytest

from flow.keeper import Keeper
from freezing import await_frozen, is_frozen, state_of
from tollkeeper.model import Agent
from waiting import wait_until

from .client import Client
from .replies import Reply, Tokens, bash, delegate, say
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

# $0.02 of input and output: of either model that the client takes by itself, or of neither.
OPUS = ["--model", "claude-opus-5-5"]
COSTS = Tokens(input=1000, output=800)
COST_USD = 0.02
# The fourth reply crosses it.
BOUND_USD = 0.07
REPLIES_TO_CROSS = 4


def working(seconds: float = 0.5) -> Reply:
    """A reply that has the client wait for a command."""
    return bash(f"sleep {seconds}", tokens=COSTS)


def play(stand_in: StandIn, keyword: str = "GO", replies: int = 7) -> None:
    """So many replies to this prompt, all but the last with a command to wait for."""
    stand_in.play(keyword, *[working()] * (replies - 1), say("All done.", tokens=COSTS))


def agent_of(keeper: Keeper, pid: int) -> Agent:
    [found] = [each for each in keeper.toll.agents() if each.pid == pid]
    return found


def kinds(keeper: Keeper) -> list[str]:
    """What the journal says happened, in order."""
    return [entry["kind"] for entry in keeper.report("log")["entries"]]


def resume(keeper: Keeper, pid: int, **more: object) -> None:
    [done] = keeper.report("resume", agents=[str(pid)], **more)["done"]
    assert (done["kind"], done.get("error")) == ("resumed", None)


def spent_exactly(keeper: Keeper, pid: int, dollars: float) -> None:
    """In the end the agent's sum is what the client says, to the nano-dollar."""
    told = round(dollars, 9)
    keeper.wait_for(lambda _: agent_of(keeper, pid).usage.cost_usd >= told)
    assert agent_of(keeper, pid).usage.cost_usd == told


def test_paused_in_mid_run_and_resumed(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """It is frozen at the reply that crosses, goes on when resumed, and its total is right."""
    keeper.limit(per_agent=BOUND_USD)
    keeper.start()
    play(stand_in)
    run = client.start("GO, please", args=OPUS)
    await_frozen(run.pid, timeout=30)
    agent = keeper.wait_for(lambda status: status.agents[0].state == "paused").agents[0]
    assert len(stand_in.asked) == len(stand_in.served) == REPLIES_TO_CROSS
    assert agent.usage.cost_usd == pytest.approx(REPLIES_TO_CROSS * COST_USD)
    assert agent.usage.cost_usd - COST_USD < BOUND_USD <= agent.usage.cost_usd
    assert kinds(keeper) == ["warned", "reached", "paused"]
    resume(keeper, run.pid, add_usd=5)
    result = client.finish(run)
    assert (result.text, len(stand_in.served)) == ("All done.", 7)
    spent_exactly(keeper, run.pid, result.total_cost_usd)
    assert kinds(keeper) == ["warned", "reached", "paused", "granted", "resumed"]


def test_second_client_beside_it(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A client of the same project and home goes on to its end while the first one is paused."""
    keeper.limit(per_agent=BOUND_USD)
    keeper.start()
    play(stand_in)
    play(stand_in, "LITTLE", 2)
    first = client.start("GO, please", args=OPUS)
    await_frozen(first.pid, timeout=30)
    second = client.start("LITTLE, please", args=OPUS)
    states: set[str] = set()
    wait_until(lambda: states.add(state_of(second.pid)) or second.poll() is not None, 30)
    assert not states & {"T", "t"}
    result = client.finish(second)
    assert result.text == "All done."
    spent_exactly(keeper, second.pid, result.total_cost_usd)
    assert is_frozen(first.pid)
    assert len(stand_in.served) == REPLIES_TO_CROSS + 2
    assert {entry["pid"] for entry in keeper.report("log")["entries"]} == {first.pid}


def test_stopped(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """It ends by SIGTERM, and has put everything in order: its totals, and its session file."""
    keeper.limit(per_agent=BOUND_USD, action="stop")
    keeper.start()
    play(stand_in)
    run = client.start("GO, please", args=OPUS)
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
    stand_in.play("GO", working(4), say("All done.", tokens=COSTS))
    shell = client.start("GO, please", args=OPUS, under=["bash", "-c", '"$@"; true', "bash"])
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
    resume(keeper, pid)
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
    run = client.start("GO, please", args=OPUS)
    await_frozen(run.pid, timeout=30)
    assert [bool(each.agent_id) for each in stand_in.served] == [False, True, True, True]
    assert len(stand_in.asked) == REPLIES_TO_CROSS
    agent = keeper.wait_for(lambda status: status.agents[0].state == "paused").agents[0]
    assert agent.usage.cost_usd == pytest.approx(REPLIES_TO_CROSS * COST_USD)
    assert sum(each.usage.requests for each in agent.subagents) == 3
    resume(keeper, run.pid)
    spent_exactly(keeper, run.pid, client.finish(run).total_cost_usd)


def test_budget_brought_along(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """TOLL_BUDGET_USD in a client's environment bounds that client, and no other."""
    keeper.start()
    play(stand_in)
    budget = {"TOLL_BUDGET_USD": str(BOUND_USD)}
    runs: list[subprocess.Popen[bytes]] = [
        client.start("GO, please", args=OPUS, extra_env=more) for more in (budget, {})
    ]
    bounded, free = runs
    assert client.finish(free).text == "All done."
    await_frozen(bounded.pid)
    assert agent_of(keeper, bounded.pid).usage.requests == REPLIES_TO_CROSS
    assert [limit.bound_usd for limit in agent_of(keeper, bounded.pid).limits] == [BOUND_USD]
    assert agent_of(keeper, free.pid).limits == ()
