"""Agents that are billed and work, and what the journal says became of them."""

from typing import Any

from .agent_process import AgentProcess
from .keeper import Keeper
from .lines import USUAL_USD

BILLED = {"ANTHROPIC_API_KEY": "made-up"}


def start_billed(keeper: Keeper, project: str = "shop", **labels: str) -> AgentProcess:
    """An agent on an API key that works; the labels are the names behind ``TOLL_``."""
    named = {f"TOLL_{name}": value for name, value in labels.items()}
    agent = keeper.start_agent(project, {**BILLED, **named})
    agent.says("busy")
    return agent


def start_known(keeper: Keeper, count: int, **labels: str) -> list[AgentProcess]:
    """So many of them, once the daemon has heard of all."""
    agents = [start_billed(keeper, **labels) for _ in range(count)]
    await_known(keeper, *agents)
    return agents


def await_known(keeper: Keeper, *agents: AgentProcess) -> None:
    """Return when the daemon has heard of all of these."""
    pids = {agent.pid for agent in agents}
    keeper.wait_for(lambda status: pids <= {each.pid for each in status.agents})


def usual(count: float) -> float:
    """The dollars of so many usual replies."""
    return count * USUAL_USD


def journal(keeper: Keeper) -> list[dict[str, Any]]:
    """All entries, oldest first."""
    return keeper.report("log")["entries"]


def kinds(keeper: Keeper, agent: AgentProcess | None = None) -> list[str]:
    """What happened, in order; to one agent only, if it is given."""
    entries = journal(keeper)
    return [entry["kind"] for entry in entries if agent is None or entry["pid"] == agent.pid]


def resume(keeper: Keeper, *agents: AgentProcess, **more: Any) -> list[str]:
    """Let these go on; what was done, by agent."""
    done = keeper.report("resume", agents=[str(agent.pid) for agent in agents], **more)["done"]
    return [each["kind"] for each in done]
