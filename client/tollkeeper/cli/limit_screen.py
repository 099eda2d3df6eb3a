"""Limits on the screen: only what a person should see coming, and who is held, and why. Pure."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from tollkeeper.cli import words
from tollkeeper.cli.limit_scope import called
from tollkeeper.model import Agent, Limit

STYLES = {"under": "", "warned": "yellow", "reached": "bold red", "waived": "dim"}
# An agent's limit is shown from here on, and limits on tasks and the like.
NEAR = 0.5
MOST_LINES = 5
MOST_HELD = 5
# How those who are held are marked.
MARKS = {"paused": "‖", "blocked": "⊘"}
IN_SUMS = ("daily", "run")


def of_agent(agent: Agent) -> Limit | None:
    """The limit that this agent is nearest to, unless it is far from all, or has exited."""
    if agent.state == "exited":
        return None
    return most_pressing(filter(_is_near, agent.limits))


def most_pressing(limits: Iterable[Limit]) -> Limit | None:
    """The nearest of those that hold; of those that are waived only where there is no other."""
    return max(limits, key=lambda limit: (not limit.waived, limit.fraction), default=None)


def nearest(limits: Iterable[Limit], scope: str) -> Limit | None:
    """The limit of the day or the run that is nearest, once anything of it is used."""
    used = (limit for limit in limits if limit.scope == scope and limit.used)
    return max(used, key=_fraction, default=None)


def cell(limit: Limit | None) -> Text:
    """How near it is: ``82 % of $5``."""
    if limit is None:
        return Text("")
    # Whole percents, cut off: it is not 100 before it is reached.
    bound = words.bound(limit.bound_usd, limit.bound_tokens).removesuffix(".00")
    told = f"{int(limit.fraction * 100)} % of {bound}"
    state = words.limit_state(limit.state, limit.waived)
    return Text(f"{told}, waived" if limit.waived else told, style=STYLES[state])


def sum_cell(limit: Limit | None) -> Text:
    """The same with what counts, which may be less than the sum beside it: ``$41, 82 % of $50``."""
    if limit is None:
        return Text("")
    in_dollars = limit.bound_usd is not None
    used = words.money(limit.used) if in_dollars else words.tokens(int(limit.used))
    told = cell(limit)
    return Text(f"{used}, ", style=told.style).append_text(told)


def lines(limits: Iterable[Limit], without: Sequence[str]) -> list[Text]:
    """The limits that are near, such as those of tasks, the nearest first; ``without`` these scopes."""
    near = [limit for limit in limits if limit.scope not in without and _is_near(limit)]
    return [
        Text.assemble(f"{words.plain(called(limit.scope))}: ", cell(limit))
        for limit in sorted(near, key=_fraction, reverse=True)[:MOST_LINES]
    ]


def held_lines(agents: Iterable[Agent]) -> list[Text]:
    """Why those are held that are paused or blocked, and how to let them go on."""
    held = [agent for agent in agents if words.state_of(agent) in MARKS]
    lines = [Text(_held_line(each), style="magenta") for each in held[:MOST_HELD]]
    if (more := len(held) - MOST_HELD) > 0:
        lines.append(Text(f"‖ {more} more are held: toll resume --all", style="magenta"))
    return lines


def _held_line(agent: Agent) -> str:
    state = words.state_of(agent)
    told = f"{MARKS[state]} {words.plain(agent.name)} is {state}"
    if agent.held:
        # On a line of its own, so that the command is not torn apart.
        return f"{told}: {words.plain(agent.held.reason)}\n  To go on: {_way_on(agent)}"
    return f"{told}; to go on: {_way_on(agent)}"


def _way_on(agent: Agent) -> str:
    resume = f"toll resume {words.typed(agent.name, agent.pid)}"
    spent = [limit for limit in agent.limits if limit.state == "reached" and not limit.waived]
    if not spent:
        return resume
    more = "--add-tokens N" if spent[0].bound_usd is None else "--add-usd 5"
    return f"{resume} ({more} for more budget)"


def _is_near(limit: Limit) -> bool:
    return limit.fraction >= NEAR or limit.state != "under"


def _fraction(limit: Limit) -> float:
    return limit.fraction
