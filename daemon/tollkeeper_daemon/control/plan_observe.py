"""``plan.observe``: what the API said of the plan's windows, told by a program that speaks to it."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from tollkeeper.model import Plan
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.names import LONGEST_NAME
from tollkeeper_daemon.plan.accounts import Owner
from tollkeeper_daemon.transcript.letters import KINDS, WindowKind


class Seen(Struct, frozen=True, forbid_unknown_fields=True):
    """How much of a window is used, and when it begins anew (ISO 8601, with a zone).

    More than 100 % is refused: a known bug of the client puts a time there.
    """

    used_percent: Annotated[float, Meta(ge=0, le=100)]
    resets_at: Annotated[datetime, Meta(tz=True)]


class Observation(Struct, frozen=True, forbid_unknown_fields=True):
    """The windows that were seen, of the account with this id if it is known."""

    five_hour: Seen | None = None
    seven_day: Seen | None = None
    account: Annotated[str, Meta(max_length=LONGEST_NAME)] = ""


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Plan]:
    """The plan after it; what is over already, or ends too late to be a window, changes nothing."""
    observation = params_as(Observation, params)
    seen: dict[WindowKind, Seen | None] = {
        "five_hour": observation.five_hour,
        "seven_day": observation.seven_day,
    }
    for kind in KINDS:
        if window := seen[kind]:
            resets_at = int(window.resets_at.timestamp() * 1000)
            owner = Owner(observation.account)
            news = daemon.plan.observed(kind, window.used_percent, resets_at, now_ms(), owner)
            daemon.herald.plan_changed(news)
    return {"plan": daemon.plan.view(now_ms())}
