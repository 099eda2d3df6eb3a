"""The tray's menu: a status in, a tree of entries out, each with what choosing it does. Pure."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from tollkeeper.accounts import account_rows
from tollkeeper.cli import words
from tollkeeper.cli.accounts_view import MARKS as ACCOUNT_MARKS
from tollkeeper.cli.accounts_view import state_in_words
from tollkeeper.model import Agent, Alert, Limit, Status, Usage
from tollkeeper.segment import render

Verb = Literal["pause", "resume", "add", "stop", "dashboard", "settings", "quit"]

ADDED_USD = 5.0
# Each state has a mark of its own: menus have no colours.
MARKS = {"working": "●", "idle": "○", "waiting": "⚠", "paused": "‖", "blocked": "⊘"}
NAME_LENGTH = 32
DOING_LENGTH = 40
ALERT_LENGTH = 80
MOST_AGENTS = 20
MOST_ALERTS = 8
MOST_ACCOUNTS = 8


class Choice(Struct, frozen=True):
    """What an entry stands for, and the id of the agent that it is about."""

    verb: Verb
    agent: str = ""


class Entry(Struct, frozen=True):
    """A line of the menu: words alone, a choice, or the title of the entries ``under`` it."""

    label: str
    choice: Choice | None = None
    under: "tuple[Entry, ...]" = ()
    is_open: bool = True

    @property
    def is_enabled(self) -> bool:
        """Whether a person can choose or open it."""
        return self.is_open and bool(self.choice or self.under)


# Groups with a line between them.
Menu = tuple[tuple[Entry, ...], ...]

COMMANDS = (
    Entry("Open dashboard", Choice("dashboard")),
    Entry("Open settings", Choice("settings")),
    Entry("Quit", Choice("quit")),
)
GONE: Menu = ((Entry("No daemon answers"), Entry("Start it with: toll up")), COMMANDS)


def menu_of(status: Status, now: datetime) -> Menu:
    """The menu for this status; ``now`` has the zone of the times shown."""
    groups = (
        _plan(status, now),
        _today(status),
        _accounts(status, now),
        _agents(status),
        _alerts(status.alerts, now),
        COMMANDS,
    )
    return tuple(group for group in groups if group)


def shape_of(menu: Menu) -> object:
    """What stays the same while only words and what is open change: an equal shape has equal choices."""
    return [[_shape(entry) for entry in group] for group in menu]


def _shape(entry: Entry) -> object:
    return entry.choice, [_shape(each) for each in entry.under]


def _plan(status: Status, now: datetime) -> tuple[Entry, ...]:
    formats = ("{plan} · {resets}", "{plan_week}", "{limited}")
    lines = (render(status, format, "plain", now) for format in formats)
    return tuple(Entry(f"{line[0].upper()}{line[1:]}") for line in lines if line)


def _today(status: Status) -> tuple[Entry, ...]:
    """Today by who pays: what a subscription is worth and what is billed are never added up."""
    today = status.today
    used = [(today.subscription, "subscription"), (today.api, "api")]
    rows = [
        f"Today: {words.paid(usage, source)}, {_amount(usage)}"
        for usage, source in used
        if usage.requests
    ]
    if not rows:
        rows.append("Today: nothing used")
    rows += [_budget(limit) for limit in status.limits if limit.scope == "daily"]
    if importing := status.daemon.importing:
        done, total = words.size(importing.done_bytes), words.size(importing.total_bytes)
        rows.append(f"Importing {done} of {total}")
    return tuple(map(Entry, rows))


def _budget(limit: Limit) -> str:
    used = words.tokens(int(limit.used)) if limit.bound_usd is None else words.money(limit.used)
    return f"Budget of the day: {used} of {words.bound(limit.bound_usd, limit.bound_tokens)}"


def _amount(usage: Usage) -> str:
    plural = "" if usage.requests == 1 else "s"
    return f"{usage.requests:,} request{plural}, {words.tokens(usage.total_tokens)} tokens"


def _accounts(status: Status, now: datetime) -> tuple[Entry, ...]:
    """Those behind proxies, by their names, so that none moves."""
    found = [row for row in account_rows(status) if row.proxy is not None]
    rows = [
        f"{ACCOUNT_MARKS.get(row.state, '')} {line(row.name or '', NAME_LENGTH)}"
        f" – {state_in_words(row, now)} – {words.paid(row.usage, row.source)}"
        for row in found[:MOST_ACCOUNTS]
    ]
    if more := len(found) - len(rows):
        rows.append(f"{more} more accounts in the dashboard")
    return tuple(map(Entry, rows))


def _agents(status: Status) -> tuple[Entry, ...]:
    """In the order in which they started, so that none moves while somebody aims at it."""
    alive = [agent for agent in status.agents if agent.state != "exited"]
    alive.sort(key=lambda agent: (agent.started_at, agent.id))
    rows = [Entry(_agent_row(agent), under=_deeds(agent)) for agent in alive[:MOST_AGENTS]]
    if more := len(alive) - len(rows):
        rows.append(Entry(f"{more} more in the dashboard"))
    return tuple(rows) or (Entry("No agent is running"),)


def _agent_row(agent: Agent) -> str:
    state = words.state_of(agent)
    is_waiting = agent.waiting_for and state == "waiting"
    doing = f"waiting: {agent.waiting_for}" if is_waiting else state
    mark = MARKS.get(state, "")
    name, doing = line(agent.name, NAME_LENGTH), line(doing, DOING_LENGTH)
    return f"{mark} {name} – {doing} – {words.paid(agent.usage, agent.source)}"


def _deeds(agent: Agent) -> tuple[Entry, ...]:
    """Always the same entries, so that a change of state changes words alone."""
    is_held = words.state_of(agent) in ("paused", "blocked")
    end = Entry(f"Really stop {line(agent.name, NAME_LENGTH)}", Choice("stop", agent.id))
    return (
        Entry("Pause", Choice("pause", agent.id), is_open=agent.state != "paused"),
        Entry("Resume", Choice("resume", agent.id), is_open=is_held),
        Entry(f"Add ${ADDED_USD:g} and resume", Choice("add", agent.id), is_open=is_held),
        Entry("Stop", under=(end,)),
    )


def _alerts(alerts: tuple[Alert, ...], now: datetime) -> tuple[Entry, ...]:
    """The latest of them, newest first."""
    rows = [Entry(_alert_row(alert, now)) for alert in reversed(alerts[-MOST_ALERTS:])]
    return (Entry("Alerts", under=tuple(rows)),) if rows else ()


def _alert_row(alert: Alert, now: datetime) -> str:
    time = datetime.fromisoformat(alert.time).astimezone(now.tzinfo)
    clock = f"{time:%H:%M}" if time.date() == now.date() else f"{time:%a %H:%M}"
    return line(f"{clock} {alert.text}", ALERT_LENGTH)


def line(text: str, length: int) -> str:
    """The text on one line of at most this length: names come from whoever starts an agent."""
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= length else f"{text[: length - 1]}…"
