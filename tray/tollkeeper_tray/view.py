"""What the tray says: a status in, a mood, a ring, a title and a menu out. Pure."""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from msgspec import Struct

from tollkeeper.model import Plan, Status, Window
from tollkeeper.segment import BRIEF, FIELDS, render
from tollkeeper.segment.fields import Seen
from tollkeeper_tray.menu import GONE as GONE_MENU
from tollkeeper_tray.menu import Menu, menu_of

Mood = Literal["calm", "warned", "reached", "limited", "gone"]

RING_STEPS = 24


class View(Struct, frozen=True):
    """All that the tray shows at one moment.

    ``ring`` is how much is used of the plan's five-hour window or of the day's budget, whichever is
    the fuller, in steps of ``RING_STEPS``; None where there is neither. ``title`` is the tooltip.
    """

    mood: Mood
    ring: int | None
    title: str
    menu: Menu


GONE = View(mood="gone", ring=None, title="Tollkeeper: no daemon answers", menu=GONE_MENU)


def view_of(status: Status | None, now: datetime, line: str = BRIEF) -> View:
    """What to show of this status; None is a daemon that does not answer.

    ``now`` has the zone of the times shown, ``line`` is the format of the tooltip.
    """
    if status is None:
        return GONE
    return View(
        mood=_mood(status, now),
        ring=_ring(status, now),
        title=render(status, line, "plain", now) or "Tollkeeper: no agent is running",
        menu=menu_of(status, now),
    )


def _mood(status: Status, now: datetime) -> Mood:
    """The worst of what is: while nothing may run, an answer to an agent moves nothing on."""
    if FIELDS["limited"](Seen(status, now, None)).text:
        return "limited"
    alive = [agent for agent in status.agents if agent.state != "exited"]
    every = [*status.limits, *(limit for agent in alive for limit in agent.limits)]
    limits = [limit for limit in every if not limit.waived]
    if any(limit.state == "reached" and limit.action != "warn" for limit in limits):
        return "reached"
    is_near = any(limit.state != "under" for limit in limits)
    windows = (FIELDS[name](Seen(status, now, None)) for name in ("plan", "plan_week"))
    is_near = is_near or any(said.tone != "calm" for said in windows)
    return "warned" if is_near or any(agent.state == "waiting" for agent in alive) else "calm"


def _ring(status: Status, now: datetime) -> int | None:
    used = [*_windows(status, now)]
    used += [limit.fraction for limit in status.limits if limit.scope == "daily"]
    if not used:
        return None
    fraction = min(max(used), 1.0)
    # Neither empty before it is, nor full.
    return max(math.floor(fraction * RING_STEPS + 1e-6), 1) if fraction > 0 else 0


def _windows(status: Status, now: datetime) -> Iterator[float]:
    plans: tuple[Plan, ...] = status.plans or (status.plan,)
    for plan in plans:
        window: Window | None = plan.five_hour
        if window and datetime.fromisoformat(window.resets_at) > now:
            yield max(window.used_percent, window.estimated_percent or 0.0) / 100
