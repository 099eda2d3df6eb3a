"""Limits on the screen: only what a person should see coming, and who waits to be let go on. Pure."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from tollkeeper.cli import words
from tollkeeper.cli.limit_scope import called
from tollkeeper.model import Agent, Limit

STYLES = {"under": "", "warned": "yellow", "reached": "bold red"}
# An agent's limit is shown from here on, and limits on tasks and the like.
NEAR = 0.5
MOST_LINES = 5
MOST_PAUSED = 5
IN_SUMS = ("daily", "run")


def of_agent(agent: Agent) -> Limit | None:
    """The limit that this agent is nearest to, unless it is far from all, or has exited."""
    if agent.state == "exited":
        return None
    return max(filter(_is_near, agent.limits), key=_fraction, default=None)


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
    return Text(f"{int(limit.fraction * 100)} % of {bound}", style=STYLES[limit.state])


def lines(limits: Iterable[Limit], without: Sequence[str]) -> list[Text]:
    """The limits that are near, such as those of tasks, the nearest first; ``without`` these scopes."""
    near = [limit for limit in limits if limit.scope not in without and _is_near(limit)]
    return [
        Text.assemble(f"{words.plain(called(limit.scope))}: ", cell(limit))
        for limit in sorted(near, key=_fraction, reverse=True)[:MOST_LINES]
    ]


def paused_lines(agents: Iterable[Agent]) -> list[Text]:
    """How to let go on who is paused."""
    paused = [agent for agent in agents if agent.state == "paused"]
    lines = [
        Text(f"‖ {words.plain(each.name)} is paused; to go on: {_way_on(each)}", style="magenta")
        for each in paused[:MOST_PAUSED]
    ]
    if (more := len(paused) - MOST_PAUSED) > 0:
        lines.append(Text(f"‖ {more} more are paused: toll resume --all", style="magenta"))
    return lines


def _way_on(agent: Agent) -> str:
    resume = f"toll resume {words.typed(agent.name, agent.pid)}"
    spent = [limit for limit in agent.limits if limit.state == "reached"]
    if not spent:
        return resume
    more = "--add-tokens N" if spent[0].bound_usd is None else "--add-usd 5"
    return f"{resume} ({more} for more budget)"


def _is_near(limit: Limit) -> bool:
    return limit.fraction >= NEAR or limit.state != "under"


def _fraction(limit: Limit) -> float:
    return limit.fraction
