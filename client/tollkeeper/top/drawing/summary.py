"""The usage summary: plans, what is billed, the rate, and each agent's part. Pure."""

from collections.abc import Sequence

from rich.text import Text

from tollkeeper.cli import account_screen, limit_screen, plan_screen, words
from tollkeeper.cli.limit_scope import called
from tollkeeper.model import Agent, Limit, Status, Usage
from tollkeeper.top.drawing.bars import bar, plot

MOST_AGENTS = 12
PLOT_HEIGHT = 4


def summary(status: Status, width: int, minutes: Sequence[float], per_hour: float) -> list[Text]:
    """The whole panel, in lines no wider than this. ``minutes`` are dollars of each, the last is now."""
    lines = [
        *_plans(status, width),
        *_accounts(status),
        *_billed(status),
        *_limits(status, width),
        *rate(width, minutes, per_hour),
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


def _billed(status: Status) -> list[Text]:
    """What was billed today and in this run, in the brief's words."""
    today, run = status.today, status.run
    lines = [Text("API USAGE (today)", style="bold"), *_sums(today.api)]
    if today.subscription.requests:
        lines += [Text("SUBSCRIPTION (today)", style="bold"), *_sums(today.subscription)]
    if run:
        cost = words.money(run.usage.cost_usd, run.usage.unpriced_requests > 0)
        worth = words.money(run.usage.value_usd, run.usage.unpriced_requests > 0)
        lines.append(Text(f"This run: {cost} billed, {worth} by list price"))
    return [*lines, Text("")]


def _sums(usage: Usage) -> list[Text]:
    guessed = usage.unpriced_requests > 0
    cached = usage.cache_read_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    taken_in = words.tokens(usage.input_tokens + cached)
    split = f"In: {taken_in}, Out: {words.tokens(usage.output_tokens)}"
    money = f"Total cost: {words.money(usage.cost_usd, guessed)}"
    if usage.value_usd > usage.cost_usd:
        money = f"Worth: {words.money(usage.value_usd, guessed)} by list price"
    return [
        Text(money),
        Text(f"Total tokens: {usage.total_tokens:,} ({split})"),
        Text(f"Requests: {usage.requests:,}"),
    ]


def _limits(status: Status, width: int) -> list[Text]:
    if not status.limits:
        return []
    lines = [Text("LIMITS", style="bold")]
    for limit in sorted(status.limits, key=lambda limit: -limit.fraction)[:MOST_AGENTS]:
        lines.append(_limit(limit, width))
    return [*lines, Text("")]


def _limit(limit: Limit, width: int) -> Text:
    style = limit_screen.STYLES[words.limit_state(limit.state, limit.waived)]
    name = words.plain(called(limit.scope))
    line = Text(f"{name[: width // 3]:<{width // 3}} ")
    line.append(bar(limit.fraction, max(width // 4, 5)), style=style)
    return line.append(" ").append_text(limit_screen.cell(limit))


def _by_agent(agents: Sequence[Agent], width: int) -> list[Text]:
    """Each agent's part in what was spent by all, the dearest first."""
    alive = [agent for agent in agents if agent.usage.requests]
    alive.sort(key=lambda agent: -agent.usage.value_usd)
    if not alive:
        return []
    whole = sum(agent.usage.value_usd for agent in alive) or 1.0
    room = max(width // 3, 8)
    lines = [Text("BY AGENT", style="bold")]
    for agent in alive[:MOST_AGENTS]:
        name, paid = words.plain(agent.name), words.paid(agent.usage, agent.source)
        line = Text(f"{name[:room]:<{room}} {paid:<14} ")
        lines.append(line.append(bar(agent.usage.value_usd / whole, max(width // 5, 5)), "cyan"))
    if (more := len(alive) - MOST_AGENTS) > 0:
        lines.append(Text(f"and {more} more", style="dim"))
    return lines
