"""``admit``: is there budget and plan for one more agent now, and if not, when?"""

import os
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from tollkeeper.model import Plan, Window
from tollkeeper_daemon.bar import words
from tollkeeper_daemon.clock import iso, local_day, now_ms
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.labels.task_ids import of_task
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION
from tollkeeper_daemon.names import LONGEST_NAME, LONGEST_PATH
from tollkeeper_daemon.reports.choice import is_paid_by
from tollkeeper_daemon.rules.admission import Admission, Room, WindowKind, WindowUse, Wish, admit
from tollkeeper_daemon.rules.settings import Dollars, Label, Tokens, nano_of
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.tally import dollars

IMPORTING_MS = 5_000
WINDOWS = {"five_hour": "five-hour window", "seven_day": "seven-day window"}
IMPORTING = "the history is still being read"


class Newcomer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The agent that is to start: its labels, who pays for it, and what it is expected to use.

    Who pays is told from the ``home`` (else the first) and the working directory where ``source`` does
    not say it. ``budget_usd`` is the TOLL_BUDGET_USD that it is to get, ``plan_percent`` how much of the
    plan's windows may be used at most.
    """

    workflow: Label | None = None
    stage: Label | None = None
    task: Label | None = None
    source: Literal["subscription", "api"] | None = None
    account: Annotated[str, Meta(max_length=LONGEST_NAME)] | None = None
    home: Annotated[str, Meta(max_length=LONGEST_PATH)] | None = None
    cwd: Annotated[str, Meta(max_length=LONGEST_PATH)] = ""
    usd: Dollars = 0
    tokens: Tokens = 0
    budget_usd: Dollars | None = None
    plan_percent: Annotated[float, Meta(gt=0, le=100)] = 100.0


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """Whether it may start, why not, when to ask again, and what is left. Nothing is set aside for it."""
    newcomer, now = params_as(Newcomer, params), now_ms()
    if newcomer.stage and not (newcomer.workflow or newcomer.task):
        raise Refused("bad-params", "a stage is one of a workflow: name that, too, or the task")
    source, account = _payer(daemon, newcomer)
    if daemon.herald.importing:
        retry_at = iso(now + IMPORTING_MS)
        return _told(Admission((), (), None, None), source, account, None, IMPORTING, retry_at)
    plan = _plan_of(daemon, account, now) if source == SUBSCRIPTION else None
    wish = Wish(nano_of(newcomer.usd), newcomer.tokens, newcomer.plan_percent)
    found = admit(_rooms(daemon, newcomer, source, account, now), _windows(plan, now), wish)
    retry_at = None if found.retry_at is None else iso(found.retry_at)
    return _told(found, source, account, plan, _why(found, wish), retry_at)


def _told(
    found: Admission,
    source: str,
    account: str,
    plan: Plan | None,
    why: str,
    retry_at: str | None,
) -> dict[str, Any]:
    return {
        "admitted": not why,
        "why": why or None,
        "retry_at": retry_at,
        "left_usd": None if found.left_nano is None else dollars(found.left_nano),
        "left_tokens": found.left_tokens,
        "source": source,
        "account": account or None,
        "plan": plan,
        "blockers": [
            *(
                {"kind": "limit", "name": room.limit.scope.kind, "renews_at": _iso(room.renews_at)}
                for room in found.limits
            ),
            *(
                {"kind": "plan", "name": each.kind, "renews_at": _iso(each.renews_at)}
                for each in found.windows
            ),
        ],
    }


def _payer(daemon: Daemon, newcomer: Newcomer) -> tuple[str, str]:
    """Who pays, and the account; Refused for a home that is not followed."""
    if newcomer.source:
        return newcomer.source, newcomer.account or ""
    followed = daemon.followed
    homes = followed.homes
    if newcomer.home is not None:
        path = os.path.realpath(os.path.expanduser(newcomer.home))
        homes = [each for each in homes if str(each.path) == path]
    home = next(iter(homes), None)
    if home is None:
        raise Refused("not-found", "no such Claude home is followed", "see: toll doctor")
    source, account = followed.payer_in(home, newcomer.cwd)
    source = source or _usually(daemon, home)
    return source, newcomer.account or account


def _usually(daemon: Daemon, home: Home) -> str:
    return SUBSCRIPTION if daemon.followed.is_subscribed(home) else API


def _rooms(daemon: Daemon, newcomer: Newcomer, source: str, account: str, now: int) -> list[Room]:
    own = Labels(newcomer.workflow or "", newcomer.task or "", newcomer.stage or "")
    budget = None if newcomer.budget_usd is None else nano_of(newcomer.budget_usd)
    stands = daemon.board.for_newcomer(
        own.over(of_task(own.task)), billed=daemon.board.is_billed(source, account), budget=budget
    )
    _, midnight = local_day(now)
    return [
        Room(each.limit, each.used, midnight if each.limit.scope.kind == "daily" else None)
        for each in stands
    ]


def _plan_of(daemon: Daemon, account: str, now: int) -> Plan | None:
    """The plan of the account; of none that is known the one that was seen last."""
    if account:
        plans = daemon.plan.views(now)
        known = [each for each in plans if is_paid_by("", each.account or "", None, account)]
        if known or len(plans) > 1:
            return next(iter(known), None)
    return daemon.plan.view(now)


def _windows(plan: Plan | None, now: int) -> list[WindowUse]:
    if plan is None:
        return []
    seen: dict[WindowKind, Window | None] = {
        "five_hour": plan.five_hour,
        "seven_day": plan.seven_day,
    }
    found = [
        WindowUse(kind, window.estimated_percent or window.used_percent, _ms(window.resets_at))
        for kind, window in seen.items()
        if window
    ]
    if plan.limited_until:
        found.append(WindowUse("refused", 100.0, _ms(plan.limited_until)))
    return [each for each in found if each.renews_at > now]


def _why(found: Admission, wish: Wish) -> str:
    """What stands in the way, in a line; empty for nothing."""
    return "; ".join(
        [*(_of_limit(room, wish) for room in found.limits), *map(_of_window, found.windows)]
    )


def _of_limit(room: Room, wish: Wish) -> str:
    limit = room.limit
    name = "the limit of an agent" if limit.scope.kind == "agent" else words.whose(limit.scope, "")
    if not room.left:
        used, bound = (words.amount(limit.unit, each) for each in (room.used, limit.bound))
        return f"{name} is reached: {used} of {bound}"
    left, wanted = (words.amount(limit.unit, each) for each in (room.left, wish.of(limit.unit)))
    return f"{name} leaves {left}, and {wanted} are expected"


def _of_window(window: WindowUse) -> str:
    if window.kind == "refused":
        return "the plan refuses requests"
    return f"the plan's {WINDOWS[window.kind]} is used to {window.used_percent:.0f} %"


def _iso(time: int | None) -> str | None:
    return None if time is None else iso(time)


def _ms(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp() * 1000)
