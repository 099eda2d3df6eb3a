"""Agents that are billed and work under limits, and what the journal says became of them."""

from collections.abc import Sequence
from typing import Any

import psutil

from freezing import await_frozen
from waiting import wait_until

from .agent_process import AgentProcess
from .keeper import Keeper, Running
from .lines import USUAL_USD

BILLED = {"ANTHROPIC_API_KEY": "made-up"}
SLEEPER = ("sleep", "600")
FAMILY = ("sh", "-c", "sleep 600 & sleep 600 & wait")


def start_bounded(keeper: Keeper, count: int = 1, **limits: Any) -> list[AgentProcess]:
    """Start the daemon with no other limits than these, and so many agents that it has heard of."""
    keeper.limit(**limits)
    keeper.start()
    return start_known(keeper, count)


def start_bounded_family(keeper: Keeper, **limits: Any) -> tuple[AgentProcess, list[int]]:
    """The same with one agent, and the pids of two processes that it started."""
    keeper.limit(**limits)
    keeper.start()
    [agent] = start_known(keeper, 1, command=FAMILY)
    return agent, await_children(agent, 2)


def start_billed(
    keeper: Keeper, project: str = "shop", command: Sequence[str] = SLEEPER, **labels: str
) -> AgentProcess:
    """An agent on an API key that works; the labels are the names behind ``TOLL_``."""
    named = {f"TOLL_{name}": value for name, value in labels.items()}
    agent = keeper.start_agent(project, {**BILLED, **named}, command)
    agent.says("busy")
    return agent


def start_subscribed(keeper: Keeper) -> AgentProcess:
    """An agent without an API key that works, once the daemon has heard of it."""
    agent = keeper.start_agent()
    agent.says("busy")
    await_known(keeper, agent)
    return agent


def start_known(keeper: Keeper, count: int, **more: Any) -> list[AgentProcess]:
    """So many of them, once the daemon has heard of all."""
    agents = [start_billed(keeper, **more) for _ in range(count)]
    await_known(keeper, *agents)
    return agents


def await_children(agent: AgentProcess, count: int) -> list[int]:
    """The pids of what the agent started, once there are so many."""
    process = psutil.Process(agent.pid)

    def found() -> list[int]:
        pids = [child.pid for child in process.children(recursive=True)]
        return pids if len(pids) == count else []

    return wait_until(found)


def await_known(keeper: Keeper, *agents: AgentProcess) -> None:
    """Return when the daemon has heard of all of these."""
    pids = {agent.pid for agent in agents}
    keeper.wait_for(lambda status: pids <= {each.pid for each in status.agents})


def overspend(*agents: AgentProcess) -> None:
    """Give each a reply, the one that crosses its limit, and see all of them frozen."""
    for agent in agents:
        agent.log.reply()
    await_frozen(*(agent.pid for agent in agents))


def usual(count: float) -> float:
    """The dollars of so many usual replies."""
    return count * USUAL_USD


def journal(keeper: Keeper) -> list[dict[str, Any]]:
    """All entries, oldest first."""
    return keeper.report("log")["entries"]


def kinds(keeper: Keeper, agent: Running | None = None) -> list[str]:
    """What happened, in order; to one agent only, if it is given."""
    entries = journal(keeper)
    return [entry["kind"] for entry in entries if agent is None or entry["pid"] == agent.pid]


def resume(keeper: Keeper, *agents: Running, **more: Any) -> list[str]:
    """Let these go on; what was done, by agent."""
    done = keeper.report("resume", agents=[str(agent.pid) for agent in agents], **more)["done"]
    return [each["kind"] for each in done]
