"""The fields of a segment: what each says of a status, or of one agent in it. Pure."""

import math
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from tollkeeper.cli import words
from tollkeeper.model import Agent, AgentState, Limit, LimitState, Plan, Status, Usage, Window

Tone = Literal["calm", "warned", "spent"]

WARNED_PERCENT = 80.0
# What was seen longer ago than this shows its age.
OLD = timedelta(minutes=30)
LONGEST_NAME = 32
TONES: dict[LimitState, Tone] = {"under": "calm", "warned": "warned", "reached": "spent"}
STATES: dict[AgentState, Tone] = {"waiting": "warned", "paused": "spent"}


class Seen(NamedTuple):
    """What a segment is made from: the status, at this time in its zone, and the agent it is of."""

    status: Status
    now: datetime
    agent: Agent | None


class Said(NamedTuple):
    """What a field says: ``short`` is the same without words. Nothing, if the text is empty."""

    text: str = ""
    tone: Tone = "calm"
    short: str = ""


NOTHING = Said()


def alive(status: Status) -> list[Agent]:
    """The agents that have not exited."""
    return [agent for agent in status.agents if agent.state != "exited"]


# Of everything.


def _agents(seen: Seen) -> Said:
    count = len(alive(seen.status))
    return Said(f"🤖 {_counted(count, 'agent')}", short=str(count)) if count else NOTHING


def _pending(seen: Seen) -> Said:
    count = sum(agent.state == "waiting" for agent in seen.status.agents)
    return Said(f"⚠ {count} pending", "warned", f"{count}!") if count else NOTHING


def _paused(seen: Seen) -> Said:
    count = sum(agent.state == "paused" for agent in seen.status.agents)
    return Said(f"‖ {count} paused", "spent", f"{count}‖") if count else NOTHING


def _reached(seen: Seen) -> Said:
    own = (limit for agent in alive(seen.status) for limit in agent.limits)
    count = sum(limit.state == "reached" for limit in (*seen.status.limits, *own))
    text = "limit reached" if count == 1 else f"{count} limits reached"
    return Said(text, "spent", f"{count}×") if count else NOTHING


def _cost_today(seen: Seen) -> Said:
    usage = seen.status.today.api
    return _money(usage, usage.cost_usd, "{} today", _tone_of(seen.status.limits, "daily"))


def _api(seen: Seen) -> Said:
    usage = seen.status.today.api
    return _money(usage, usage.cost_usd, "API: {}", _tone_of(seen.status.limits, "daily"))


def _value_today(seen: Seen) -> Said:
    usage = seen.status.today.total
    return _money(usage, usage.value_usd, "worth {} today")


def _cost_run(seen: Seen) -> Said:
    usage = seen.status.run.usage if seen.status.run else Usage()
    return _money(usage, usage.cost_usd, "{} this run", _tone_of(seen.status.limits, "run"))


def _messages(seen: Seen) -> Said:
    count = seen.status.today.total.messages
    return Said(_counted(count, "message"), short=f"{count:,}") if count else NOTHING


# Of the plan: with an agent, its own; with several accounts and no agent, all of them.


def _plan(seen: Seen) -> Said:
    return _windows(seen, "Plan", [plan.five_hour for plan in plans_of(seen)])


def _plan_week(seen: Seen) -> Said:
    return _windows(seen, "Week", [plan.seven_day for plan in plans_of(seen)])


def _resets(seen: Seen) -> Said:
    times = [plan.five_hour.resets_at for plan in plans_of(seen) if plan.five_hour]
    left = min(filter(None, (_left(seen, moment) for moment in times)), default=None)
    return Said(f"resets in {_span(left)}", short=_span(left)) if left else NOTHING


def _limited(seen: Seen) -> Said:
    times = [plan.limited_until for plan in plans_of(seen) if plan.limited_until]
    ends = [moment for moment in times if _left(seen, moment)]
    if not ends:
        return NOTHING
    end = datetime.fromisoformat(min(ends)).astimezone(seen.now.tzinfo)
    is_today = end.date() == seen.now.date()
    told = f"{end:%H:%M}" if is_today else f"{end:%a %H:%M}"
    return Said(f"limited until {told}", "spent", told)


def plans_of(seen: Seen) -> tuple[Plan, ...]:
    """The plans that a segment tells of: none for an agent that somebody else pays for.

    Whose account is not known has the only plan that there is, and of several none.
    """
    status, agent = seen.status, seen.agent
    if agent is None:
        return status.plans or (status.plan,)
    if agent.source != "subscription":
        return ()
    own = tuple(plan for plan in status.plans if plan.account and plan.account == agent.account)
    if own or len(status.plans) > 1:
        return own
    is_its = status.plan.account is None or not agent.account
    return (status.plan,) if is_its else ()


def _windows(seen: Seen, title: str, windows: list[Window | None]) -> Said:
    current = [window for window in windows if window and _left(seen, window.resets_at)]
    if not current:
        return NOTHING
    told = ", ".join(_percent(window, seen.now) for window in current)
    plural = "s" if len(current) > 1 else ""
    return Said(f"{title}{plural}: {told}", worst(_tone(_used(each)) for each in current), told)


def _percent(window: Window, now: datetime) -> str:
    """How much is used: an estimate of now as such, else what was seen, and when if long ago."""
    used = _whole(_used(window))
    if used > _whole(window.used_percent):
        return f"~{used}%"
    age = now - datetime.fromisoformat(window.observed_at)
    return f"{used}% ({_age(age)} ago)" if age > OLD else f"{used}%"


def _used(window: Window) -> float:
    """What is used by now as far as can be told; it only grows until the reset."""
    return min(max(window.used_percent, window.estimated_percent or 0.0), 100.0)


# Of one agent; empty without one.


def _name(agent: Agent) -> Said:
    name = words.plain(agent.name)
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return Said(short, short=short)


def _cost(agent: Agent) -> Said:
    usage = agent.usage
    if agent.source == "subscription":
        return _money(usage, usage.value_usd, "worth {}")
    return _money(usage, usage.cost_usd, "{}", worst(TONES[each.state] for each in agent.limits))


def _context(agent: Agent) -> Said:
    percent = agent.context_used_percent
    if percent is None:
        return NOTHING
    tone: Tone = "warned" if percent >= WARNED_PERCENT else "calm"
    return Said(f"ctx {_whole(percent)}%", tone, f"{_whole(percent)}%")


def _limit(agent: Agent) -> Said:
    """The limit that the agent is nearest to, once anything of it is used."""
    used = [limit for limit in agent.limits if limit.used]
    if not used:
        return NOTHING
    limit = max(used, key=lambda each: each.fraction)
    spent = _dollars(limit.used) if limit.bound_tokens is None else words.tokens(int(limit.used))
    bound = words.bound(limit.bound_usd, limit.bound_tokens).removesuffix(".00")
    text = f"{spent} of {bound}"
    return Said(text, TONES[limit.state], text.removesuffix(" tokens"))


def _state(agent: Agent) -> Said:
    return Said(agent.state, STATES.get(agent.state, "calm"), agent.state)


def _model(agent: Agent) -> Said:
    name = words.model_name(agent.model)[:LONGEST_NAME]
    return Said(name, short=name)


def _of_agent(tell: Callable[[Agent], Said]) -> Callable[[Seen], Said]:
    return lambda seen: tell(seen.agent) if seen.agent else NOTHING


FIELDS: dict[str, Callable[[Seen], Said]] = {
    "agents": _agents,
    "pending": _pending,
    "paused": _paused,
    "reached": _reached,
    "plan": _plan,
    "plan_week": _plan_week,
    "resets": _resets,
    "limited": _limited,
    "cost_today": _cost_today,
    "api": _api,
    "value_today": _value_today,
    "cost_run": _cost_run,
    "messages": _messages,
    "name": _of_agent(_name),
    "cost": _of_agent(_cost),
    "context": _of_agent(_context),
    "limit": _of_agent(_limit),
    "state": _of_agent(_state),
    "model": _of_agent(_model),
}
RANKS: tuple[Tone, ...] = ("calm", "warned", "spent")


def worst(tones: Iterable[Tone]) -> Tone:
    """The tone that people have to see; calm for none."""
    return RANKS[max((RANKS.index(tone) for tone in tones), default=0)]


def _tone(percent: float) -> Tone:
    return "spent" if percent >= 100 else "warned" if percent >= WARNED_PERCENT else "calm"


def _tone_of(limits: tuple[Limit, ...], scope: str) -> Tone:
    return worst([TONES[limit.state] for limit in limits if limit.scope == scope])


def _money(usage: Usage, dollars: float, words: str, tone: Tone = "calm") -> Said:
    """A sum, with ``~`` if a price in it is guessed; of nothing there is nothing to say."""
    if not usage.requests:
        return NOTHING
    told = f"{'~' if usage.unpriced_requests else ''}{_dollars(dollars)}"
    return Said(words.format(told), tone, told)


def _dollars(dollars: float) -> str:
    """Whole cents; a bar has no room for more."""
    return "<$0.01" if 0 < dollars < 0.005 else f"${dollars:,.2f}"


def _whole(percent: float) -> int:
    """Whole percents, cut off: it is not 100 before it is reached, though 57 may come as 56.999999."""
    return int(percent + 1e-6)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _left(seen: Seen, moment: str) -> timedelta | None:
    """How long it is until then; None once it is past."""
    left = datetime.fromisoformat(moment) - seen.now
    return left if left > timedelta(0) else None


def _span(left: timedelta) -> str:
    """A time to come by its two largest units, to the minute and never too short: 2h 10m."""
    minutes = math.ceil(left / timedelta(minutes=1))
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days}d {hours % 24}h"
    return f"{hours}h {minutes % 60:02d}m" if hours else f"{minutes}m"


def _age(age: timedelta) -> str:
    """A time gone by, by its largest unit."""
    minutes = age // timedelta(minutes=1)
    if minutes >= 1440:
        return f"{minutes // 1440}d"
    return f"{minutes // 60}h" if minutes >= 60 else f"{minutes}m"
