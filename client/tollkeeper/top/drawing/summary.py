"""The usage summary: plans, what is billed, the rate, and each agent's part. Pure."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from tollkeeper.cli import account_screen, limit_screen, plan_screen, words
from tollkeeper.cli.limit_scope import called
from tollkeeper.model import Agent, Limit, Status, Usage
from tollkeeper.top.drawing.bars import bar, plot

MOST_AGENTS = 12
PLOT_HEIGHT = 4
LEAST_BAR, WIDEST_BAR = 5, 40
LEAST_NAME = 8


def summary(
    status: Status,
    width: int,
    minutes: Sequence[float],
    per_hour: float,
    plot_height: int = PLOT_HEIGHT,
) -> list[Text]:
    """The whole panel, in lines no wider than this. ``minutes`` are dollars of each, the last is now."""
    lines = [
        *_plans(status, width),
        *_accounts(status),
        *_billed(status, width),
        *_limits(status, width),
        *rate(width, minutes, per_hour, plot_height),
        *_by_agent(status.agents, width),
    ]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def rate(
    width: int, minutes: Sequence[float], per_hour: float, height: int = PLOT_HEIGHT
) -> list[Text]:
    """How fast money goes, as a plot of the last minutes."""
    told = f"BURN RATE   {words.money(per_hour)}/h by list price"
    shown = minutes[-width:]
    span = f"{len(shown)} min, the highest {words.money(max(shown, default=0.0))}/min"
    rows = [Text(row, style="cyan") for row in plot(shown, width, height)]
    return [Text(told, style="bold"), *rows, Text(span, style="dim"), Text("")]


def _plans(status: Status, width: int) -> list[Text]:
    lines = plan_screen.lines(status, width)
    return [*lines, Text("")] if lines else []


def _accounts(status: Status) -> list[Text]:
    lines = account_screen.lines(status)
    return [*lines, Text("")] if lines else []


def _billed(status: Status, width: int) -> list[Text]:
    """What was billed today and in this run, in the brief's words."""
    today, run = status.today, status.run
    lines = [Text("API USAGE (today)", style="bold"), *_sums(today.api, width), Text("")]
    if today.subscription.requests:
        heading = Text("SUBSCRIPTION (today)", style="bold")
        lines += [heading, *_sums(today.subscription, width), Text("")]
    if run:
        cost = words.money(run.usage.cost_usd, run.usage.unpriced_requests > 0)
        worth = words.money(run.usage.value_usd, run.usage.unpriced_requests > 0)
        lines += [Text(f"This run: {cost} billed, worth {worth}"), Text("")]
    return lines


def _sums(usage: Usage, width: int) -> list[Text]:
    guessed = usage.unpriced_requests > 0
    cached = usage.cache_read_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    taken_in = words.tokens(usage.input_tokens + cached)
    split = f"In: {taken_in}, Out: {words.tokens(usage.output_tokens)}"
    tokens = [f"Total tokens: {usage.total_tokens:,} ({split})"]
    if len(tokens[0]) > width:
        tokens = [f"Total tokens: {usage.total_tokens:,}", f"  {split}"]
    money = f"Total cost: {words.money(usage.cost_usd, guessed)}"
    if usage.value_usd > usage.cost_usd:
        money = f"Worth: {words.money(usage.value_usd, guessed)} by list price"
    return [Text(f"{money}   Requests: {usage.requests:,}"), *map(Text, tokens)]


def _limits(status: Status, width: int) -> list[Text]:
    if not status.limits:
        return []
    shown = sorted(status.limits, key=lambda limit: -limit.fraction)[:MOST_AGENTS]
    names = _names([called(limit.scope) for limit in shown], width // 3)
    lines = [_limit(limit, name, width) for limit, name in zip(shown, names, strict=True)]
    return [Text("LIMITS", style="bold"), *lines, Text("")]


def _limit(limit: Limit, name: str, width: int) -> Text:
    style = limit_screen.STYLES[words.limit_state(limit.state, limit.waived)]
    line = Text(f"{name} ")
    line.append(bar(limit.fraction, max(min(width // 4, WIDEST_BAR), LEAST_BAR)), style=style)
    return line.append(" ").append_text(limit_screen.cell(limit))


def _by_agent(agents: Sequence[Agent], width: int) -> list[Text]:
    """Each agent's part in what was spent by all, the dearest first."""
    alive = [agent for agent in agents if agent.usage.requests]
    alive.sort(key=lambda agent: -agent.usage.value_usd)
    if not alive:
        return []
    whole = sum(agent.usage.value_usd for agent in alive) or 1.0
    shown = alive[:MOST_AGENTS]
    paid = _names([_paid(agent) for agent in shown], width - LEAST_NAME - LEAST_BAR - 2)
    room = max(width - cell_len(paid[0]) - LEAST_BAR - 2, LEAST_NAME)
    names = _names([agent.name for agent in shown], min(room, width // 3))
    left = width - cell_len(f"{names[0]} {paid[0]} ")
    lines = [Text("BY AGENT", style="bold")]
    for agent, name, sum_of in zip(shown, names, paid, strict=True):
        part = bar(agent.usage.value_usd / whole, max(min(left, WIDEST_BAR), LEAST_BAR))
        lines.append(Text(f"{name} {sum_of} ").append(part, "cyan"))
    if (more := len(alive) - MOST_AGENTS) > 0:
        lines.append(Text(f"and {more} more", style="dim"))
    return lines


def _paid(agent: Agent) -> str:
    """What it spent, behind a subscription's messages."""
    paid = words.paid(agent.usage, agent.source)
    return f"{agent.usage.messages:,} msgs {paid}" if agent.source == "subscription" else paid


def _names(names: Sequence[str], most: int) -> list[str]:
    """These words of others, each as wide as the widest, and no wider than this."""
    told = [words.plain(name) for name in names]
    room = min(max(map(cell_len, told)), most)
    return [set_cell_size(name, room) for name in told]
