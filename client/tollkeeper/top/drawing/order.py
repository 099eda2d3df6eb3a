"""Which agents are shown, and in which order. Pure."""

from collections.abc import Callable, Iterable
from typing import Literal, get_args

from tollkeeper.cli import words
from tollkeeper.model import Agent

Order = Literal["started", "name", "state", "spent", "tokens"]
ORDERS: tuple[Order, ...] = get_args(Order)

# Who needs a person comes first.
URGENCY = ("waiting", "paused", "blocked", "working", "idle", "exited")

_KEYS: dict[Order, Callable[[Agent], tuple[object, ...]]] = {
    "started": lambda agent: (agent.started_at,),
    "name": lambda agent: (agent.name.casefold(),),
    "state": lambda agent: (URGENCY.index(words.state_of(agent)), agent.started_at),
    "spent": lambda agent: (-agent.usage.value_usd, agent.started_at),
    "tokens": lambda agent: (-agent.usage.total_tokens, agent.started_at),
}


def arranged(agents: Iterable[Agent], order: Order, sought: str = "") -> list[Agent]:
    """The agents in which each of the sought words is found; those that exited come last."""
    needles = sought.casefold().split()
    found = [agent for agent in agents if _has(agent, needles)]
    found.sort(key=_KEYS[order])
    return sorted(found, key=lambda agent: agent.state == "exited")


def after(order: Order) -> Order:
    """The order that follows this one."""
    return ORDERS[(ORDERS.index(order) + 1) % len(ORDERS)]


def _has(agent: Agent, needles: list[str]) -> bool:
    told = (
        agent.name,
        words.state_of(agent),
        agent.project,
        agent.model,
        agent.source,
        agent.workflow,
        agent.task,
        agent.stage,
    )
    text = " ".join(filter(None, told)).casefold()
    return all(needle in text for needle in needles)
