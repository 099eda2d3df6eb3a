"""An agent's card: who it is, what it does, what it costs, how near its limits are. Pure."""

from datetime import datetime, timedelta

from msgspec import Struct
from rich.cells import cell_len
from rich.text import Text

from tollkeeper.cli import limit_screen, words
from tollkeeper.cli.screen import STATES
from tollkeeper.model import Agent, Limit, Subagent
from tollkeeper.top.drawing.bars import bar

# What every card has with its usage, without its subagents: cards in a row are of one height.
LINES = 6
BAR = 10
MOST_HELPERS = 6
SOURCES = {"api": "API"}


class Card(Struct, frozen=True):
    """All that a card shows: its frame's title, its lines, and the state that colours the frame."""

    agent: str
    title: str
    state: str
    lines: tuple[Text, ...]


def card(agent: Agent, now: datetime, width: int, unfolded: bool, with_usage: bool = True) -> Card:
    """The card of this agent, its lines no wider than this; without usage it has only what else is known."""
    lines = [
        _work(agent),
        _doing(agent, now, width),
        *([_session(agent, width)] if with_usage else []),
        _changes(agent, width),
        _budget(agent, width) if with_usage else _hold(agent),
        _helpers(agent, unfolded),
    ]
    if unfolded:
        lines += _unfolded(agent, with_usage)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Card(agent.id, words.plain(agent.name), words.state_of(agent), tuple(lines))


def _work(agent: Agent) -> Text:
    """The task, the stage, the workflow: what is known of them; else where it works."""
    if not (agent.task or agent.workflow or agent.stage):
        return Text(words.plain(agent.project or ""), style="dim")
    line = Text("Task: " if agent.task else "Workflow: ", style="dim")
    line.append(words.plain(agent.task or agent.workflow or "none"), style="not dim")
    if agent.stage:
        line.append(f" · {words.plain(agent.stage)}", style="not dim")
    return line


def _doing(agent: Agent, now: datetime, width: int) -> Text:
    state = words.state_of(agent)
    mark, colour = STATES[state]
    doing = state.capitalize()
    if agent.waiting_for and state == "waiting":
        doing = f"Waiting: {words.plain(agent.waiting_for)}"
    age = _for(now - datetime.fromisoformat(agent.state_since)) if agent.state_since else ""
    line = Text(f"{mark} {doing}", style=colour)
    line.truncate(max(width - len(age), 1), overflow="ellipsis")
    line.append(age, style=colour)
    model = words.model_name(agent.model)
    if model and len(line) + 2 + len(model) <= width:
        line.append(" " * (width - len(line) - len(model)) + model, style="dim")
    return line


def _for(age: timedelta) -> str:
    """How long it is so, to the minute: seconds would make every card another each second."""
    minutes = int(age.total_seconds()) // 60
    return f" for {words.span(minutes * 60).removesuffix(' 00s')}" if minutes > 0 else ""


def _session(agent: Agent, width: int) -> Text:
    """What it has used: messages by a subscription, tokens by a key, and what that is worth.

    Where there is little room the words give way, since who pays is behind them.
    """
    usage, guessed = agent.usage, agent.usage.unpriced_requests > 0
    if agent.source == "subscription":
        count, noun = f"{usage.messages:,}", f"message{'' if usage.messages == 1 else 's'}"
        worth, source, short = usage.value_usd, "Sub", "msgs"
    else:
        count, noun = words.tokens(usage.total_tokens), "tokens"
        source = SOURCES.get(agent.source, words.plain(agent.source))
        worth, short = usage.cost_usd, "tok"
    paid = f"({words.money(worth, guessed)}) [{source}]"
    return _fitting(
        width,
        f"Session: {count} {noun} {paid}",
        f"Session: {count} {short} {paid}",
        f"{count} {noun} {paid}",
        f"{count} {short} {paid}",
    )


def _changes(agent: Agent, width: int) -> Text:
    changes = f"+{agent.lines_added:,} -{agent.lines_removed:,}"
    if agent.context_used_percent is None:
        return Text(f"Changes: {changes}")
    context = f"Context: {agent.context_used_percent:.0f} %"
    line = _fitting(width - len(context) - 1, f"Changes: {changes}", changes)
    return line.append(context.rjust(max(width - line.cell_len, len(context) + 1)))


def _fitting(width: int, *texts: str) -> Text:
    """The first of these that is no wider, else the last."""
    return Text(next((text for text in texts if cell_len(text) <= width), texts[-1]))


def _hold(agent: Agent) -> Text:
    """Why it is held."""
    return Text(words.plain(agent.held.reason), style="magenta") if agent.held else Text("")


def _budget(agent: Agent, width: int) -> Text:
    """Why it is held, else the limit that it is nearest to; that, too, where it says the same in less room."""
    limit = limit_screen.most_pressing(agent.limits)
    why = _hold(agent)
    is_spent = limit is not None and limit.state == "reached" and not limit.waived
    if agent.held and (why.cell_len <= width or not is_spent):
        return why
    return _limit(limit, min(BAR, width // 4)) if limit else Text("Budget: none", style="dim")


def _limit(limit: Limit, width: int) -> Text:
    style = limit_screen.STYLES[words.limit_state(limit.state, limit.waived)]
    line = Text("Budget: ")
    line.append(bar(limit.fraction, width), style=style)
    return line.append(" ").append_text(limit_screen.cell(limit))


def _helpers(agent: Agent, unfolded: bool) -> Text:
    count = len(agent.subagents)
    if not count:
        return Text("")
    at_work = sum(each.state == "working" for each in agent.subagents)
    mark = "▾" if unfolded else "▸"
    told = f"{mark} {count} subagent{'' if count == 1 else 's'}"
    return Text(f"{told}, {at_work} at work" if at_work else told)


def _unfolded(agent: Agent, with_usage: bool) -> list[Text]:
    """Those at work, and the latest of those that are done, as far as there is room; how many more there are."""
    found = [*reversed(agent.subagents)]
    found.sort(key=lambda each: each.state != "working")
    lines = [_helper(each, agent.source, with_usage) for each in found[:MOST_HELPERS]]
    if (more := len(found) - MOST_HELPERS) > 0:
        lines.append(Text(f"  and {more} more", style="dim"))
    return lines


def _helper(subagent: Subagent, source: str, with_usage: bool) -> Text:
    mark = "●" if subagent.state == "working" else "○"
    line = Text(f"  {mark} {words.plain(subagent.type or subagent.id)}")
    if with_usage:
        line.append(f" {words.paid(subagent.usage, source)}")
    if subagent.description:
        line.append(f" {words.plain(subagent.description)}", style="dim")
    return line
