"""The state of things as a person sees it: a status in, something rich can print out. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tollkeeper.cli import account_screen, limit_screen, plan_screen, words
from tollkeeper.model import AccountToday, Agent, Alert, Importing, Status, Subagent, Usage

# Each state has a mark of its own, so that no one needs colour to tell them apart.
STATES = {
    "working": ("●", "green"),
    "idle": ("○", "dim"),
    "waiting": ("⚠", "yellow"),
    "paused": (limit_screen.MARKS["paused"], "magenta"),
    "blocked": (limit_screen.MARKS["blocked"], "magenta"),
    "exited": ("✕", "dim"),
}
NARROW = 100
# What the column of limits takes, where there is one.
LIMIT_ROOM = 16
# The columns of agents, from left to right; those that are words, and not figures, give way to the others.
COLUMNS = (
    "Agent",
    "State",
    "Model",
    "Req",
    "In",
    "Out",
    "Cache",
    "Tokens",
    "Spent",
    "Limit",
    "Lines",
    "Seen",
)
WORDS = ("Agent", "State", "Model")
ONLY_WIDE = ("Req", "In", "Out", "Cache", "Lines", "Seen")
# Narrower terminals do without these, so that there is room for who it is and what it does.
ROOM_FOR = {"Model": 72, "Tokens": 58, "Limit": 46}
# From here on the sums have room for whole figures and limits.
ROOM_FOR_SUMS = 80
ALERTS_SHOWN = 3
ALERTS_LAST = timedelta(days=1)


def status_screen(status: Status, width: int, rate: float | None = None) -> RenderableType:
    """The whole of it: headline, agents, sums, plans, alerts; ``rate`` is the import's, in bytes/s."""
    now = datetime.fromisoformat(status.time)
    parts: list[RenderableType] = [_headline(status)]
    if status.daemon.importing:
        parts.append(import_bar(status.daemon.importing, rate))
    if status.agents:
        parts.append(agents_table(status.agents, now, width))
    else:
        parts.append(Text("No agent is running. Start one with: claude", style="dim"))
    parts += limit_screen.held_lines(status.agents)
    has_room = width >= ROOM_FOR_SUMS
    parts.append(_sums_table(status, width))
    parts += plan_screen.lines(status, width)
    parts += account_screen.lines(status)
    parts += limit_screen.lines(status.limits, limit_screen.IN_SUMS if has_room else ())
    parts += alert_lines(status.alerts, now)
    return Group(*parts)


def alert_lines(alerts: Iterable[Alert], now: datetime) -> list[Text]:
    """The latest alerts, and how long ago each came; what is older than a day is not worth a line."""
    aged = [(alert, now - datetime.fromisoformat(alert.time)) for alert in alerts]
    fresh = [(alert, age) for alert, age in aged if age <= ALERTS_LAST]
    return [
        Text(f"! {words.ago(age.total_seconds())}: {words.plain(alert.text)}", style="yellow")
        for alert, age in fresh[-ALERTS_SHOWN:]
    ]


def _headline(status: Status) -> Text:
    alive = [agent for agent in status.agents if agent.state != "exited"]
    waiting = sum(agent.state == "waiting" for agent in alive)
    line = Text(f"{len(alive)} agent{'' if len(alive) == 1 else 's'}", style="bold")
    if waiting:
        line.append(f" | ⚠ {waiting} pending", style="yellow")
    today = status.today
    billed = words.money(today.api.cost_usd, _guessed(today.api))
    if not today.subscription.requests:
        line.append(f" | {billed} today")
    else:
        line.append(f" | plan: worth {_value(today.subscription)} today")
        if today.api.requests:
            line.append(f" | API: {billed} today")
    if status.plan.limited_until:
        until = datetime.fromisoformat(status.plan.limited_until).astimezone()
        line.append(f" | plan limited until {until:%H:%M}", style="red")
    return line


def agents_table(agents: tuple[Agent, ...], now: datetime, width: int) -> Table:
    """A line per agent, its subagents below it; narrow terminals get fewer columns."""
    columns = _columns(width, any(limit_screen.of_agent(agent) for agent in agents))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        if column in WORDS:
            table.add_column(column, max_width=28 if column == "Agent" else None)
        else:
            table.add_column(column, justify="right", no_wrap=True)
    order = sorted(agents, key=lambda agent: (agent.state == "exited", agent.started_at))
    for agent in order:
        cells = _agent_cells(agent, now)
        style = "dim" if agent.state == "exited" else ""
        table.add_row(*(cells[column] for column in columns), style=style)
        for subagent in agent.subagents:
            cells = _subagent_cells(subagent, agent.source)
            table.add_row(*(cells.get(column, "") for column in columns), style="dim")
    return table


def _columns(width: int, limited: bool) -> list[str]:
    """What there is room for; an agent's name, its state and its bill always are shown."""
    wide = width >= NARROW + (LIMIT_ROOM if limited else 0)
    left_out = {column for column, room in ROOM_FOR.items() if width < room}
    left_out |= set() if limited else {"Limit"}
    return [each for each in COLUMNS if each not in left_out and (wide or each not in ONLY_WIDE)]


def _agent_cells(agent: Agent, now: datetime) -> dict[str, str | Text]:
    state = words.state_of(agent)
    mark, colour = STATES[state]
    doing = state
    if agent.waiting_for and state == agent.state:
        doing = f"waiting: {words.plain(agent.waiting_for)}"
    changed = agent.lines_added or agent.lines_removed
    return {
        "Agent": give_way(words.plain(agent.name)),
        "State": give_way(f"{mark} {doing}", colour),
        "Model": give_way(words.model_name(agent.model)),
        **_token_cells(agent.usage),
        "Spent": words.paid(agent.usage, agent.source),
        "Limit": limit_screen.cell(limit_screen.of_agent(agent)),
        "Lines": f"+{agent.lines_added} -{agent.lines_removed}" if changed else "",
        "Seen": words.since(agent.last_activity_at, now),
    }


def _subagent_cells(subagent: Subagent, source: str) -> dict[str, str | Text]:
    return {
        "Agent": give_way(f"  └ {words.plain(subagent.type or subagent.id)}"),
        "State": subagent.state,
        **_token_cells(subagent.usage),
        "Spent": words.paid(subagent.usage, source),
    }


def give_way(text: str, style: str = "") -> Text:
    """Words in a table, which are cut short where figures need the room."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _token_cells(usage: Usage) -> dict[str, str]:
    cached = usage.cache_read_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    return {
        "Req": str(usage.requests),
        "In": words.tokens(usage.input_tokens),
        "Out": words.tokens(usage.output_tokens),
        "Cache": words.tokens(cached),
        "Tokens": words.tokens(usage.total_tokens),
    }


def _sums_table(status: Status, width: int) -> Table:
    has_room = width >= ROOM_FOR_SUMS
    limit_cell = limit_screen.sum_cell if width >= NARROW else limit_screen.cell
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    for column in ("Requests", "Messages", "Tokens", "Billed", "List price"):
        table.add_column(column, justify="right", no_wrap=has_room)
    today = status.today
    limits = status.limits if has_room else ()
    of_today = limit_screen.nearest(limits, "daily")
    of_run = limit_screen.nearest(limits, "run")
    if of_today or of_run:
        table.add_column("Limit", justify="right", no_wrap=True)
    rows = [("Today", today.total, of_today)]
    if today.subscription.requests and today.api.requests:
        rows += [("  subscription", today.subscription, None), ("  API", today.api, None)]
    rows += [(f"    {words.account(each)}", each.usage, None) for each in _several(status)]
    if status.run:
        rows.append(("This run", status.run.usage, of_run))
    for name, usage, limit in rows:
        table.add_row(
            give_way(name) if has_room else name,
            f"{usage.requests:,}",
            f"{usage.messages:,}",
            words.tokens(usage.total_tokens),
            words.money(usage.cost_usd, _guessed(usage)),
            _value(usage),
            *([limit_cell(limit)] if of_today or of_run else []),
        )
    return table


def _several(status: Status) -> list[AccountToday]:
    """The accounts of today, where a source has more than one."""
    sources = {each.source for each in status.accounts}
    return [*status.accounts] if len(status.accounts) > len(sources) else []


def import_bar(importing: Importing, rate: float | None) -> RenderableType:
    """How far the reading of the history has come: bytes, rate and time left."""
    done, total = importing.done_bytes, max(importing.total_bytes, 1)
    told = f"importing {words.size(done)} of {words.size(total)}"
    if rate:
        told += f", {words.size(int(rate))}/s, {words.span(max(total - done, 0) / rate)} left"
    line = Table.grid(padding=(0, 1))
    line.add_row(ProgressBar(total=total, completed=min(done, total), width=30), Text(told))
    return line


def _value(usage: Usage) -> str:
    return words.money(usage.value_usd, _guessed(usage))


def _guessed(usage: Usage) -> bool:
    return usage.unpriced_requests > 0


def console() -> Console:
    """Where tables go: as wide as the terminal, plain in a pipe or with NO_COLOR."""
    return Console(highlight=False, soft_wrap=False, markup=False, emoji=False)
