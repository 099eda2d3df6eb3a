"""What the tray says: a status in, a mood, a title and the menu's rows out. Pure."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from tollkeeper.cli import words
from tollkeeper.model import Agent, Limit, Status, Usage

Mood = Literal["calm", "waiting", "limited", "gone"]

# Each state has a mark of its own: menus have no colours.
MARKS = {"working": "●", "idle": "○", "waiting": "⚠", "paused": "‖", "blocked": "⊘"}
NAME_LENGTH = 32
DOING_LENGTH = 40


class View(Struct, frozen=True):
    """All that the tray shows at one moment.

    ``title`` is the tooltip; ``agents`` and ``sums`` are the menu's rows, a group each.
    """

    mood: Mood
    title: str
    agents: tuple[str, ...]
    sums: tuple[str, ...]


GONE = View(
    mood="gone",
    title="Tollkeeper: no daemon answers",
    agents=("No daemon answers",),
    sums=("Start it with: toll up",),
)


def view_of(status: Status | None) -> View:
    """What to show of this status; None is a daemon that does not answer."""
    if status is None:
        return GONE
    alive = [agent for agent in status.agents if agent.state != "exited"]
    alive.sort(key=lambda agent: agent.started_at)
    pending = sum(agent.state == "waiting" for agent in alive)
    every = [*status.limits, *(limit for agent in alive for limit in agent.limits)]
    limits = [limit for limit in every if not limit.waived]
    return View(
        mood=_mood(status, pending, limits),
        title=_title(status, len(alive), pending, limits),
        agents=tuple(_agent_row(agent) for agent in alive) or ("No agent is running",),
        sums=_sums(status),
    )


def _mood(status: Status, pending: int, limits: list[Limit]) -> Mood:
    """Limited comes before waiting: while nothing may run, an answer moves nothing on."""
    held = any(limit.state == "reached" and limit.action != "warn" for limit in limits)
    if status.plan.limited_until or held:
        return "limited"
    return "waiting" if pending else "calm"


def _title(status: Status, alive: int, pending: int, limits: list[Limit]) -> str:
    parts = [f"{alive} agent{'' if alive == 1 else 's'}"]
    if pending:
        parts.append(f"⚠ {pending} pending")
    api, subscription = status.today.api, status.today.subscription
    if subscription.requests:
        value = words.money(subscription.value_usd, _guessed(subscription))
        parts.append(f"subscription {value} today")
    if api.requests or not subscription.requests:
        parts.append(f"{words.money(api.cost_usd, _guessed(api))} today")
    if status.plan.limited_until:
        parts.append(f"plan limited until {_clock(status.plan.limited_until)}")
    if any(limit.state == "reached" for limit in limits):
        parts.append("limit reached")
    return " | ".join(parts)


def _agent_row(agent: Agent) -> str:
    state = words.state_of(agent)
    is_waiting = agent.waiting_for and state == "waiting"
    doing = f"waiting: {agent.waiting_for}" if is_waiting else state
    mark = MARKS.get(state, "")
    name, doing = _line(agent.name, NAME_LENGTH), _line(doing, DOING_LENGTH)
    return f"{mark} {name} – {doing} – {words.paid(agent.usage, agent.source)}"


def _sums(status: Status) -> tuple[str, ...]:
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
    if importing := status.daemon.importing:
        done, total = words.size(importing.done_bytes), words.size(importing.total_bytes)
        rows.append(f"Importing {done} of {total}")
    return tuple(rows)


def _amount(usage: Usage) -> str:
    plural = "" if usage.requests == 1 else "s"
    return f"{usage.requests:,} request{plural}, {words.tokens(usage.total_tokens)} tokens"


def _guessed(usage: Usage) -> bool:
    return usage.unpriced_requests > 0


def _clock(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone():%H:%M}"


def _line(text: str, length: int) -> str:
    """The text on one line of at most this length: names come from whoever starts an agent."""
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= length else f"{text[: length - 1]}…"
