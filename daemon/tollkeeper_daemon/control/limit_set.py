"""``limit.set``: a limit of one's own on an agent, a run, a day, a workflow, task or conversation."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from tollkeeper.model import LimitAction
from tollkeeper.naming import is_begun
from tollkeeper_daemon.bar.limits_by_hand import MOST_BY_HAND
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.control.whom import find_one
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.rules.limits import Scope, ScopeKind, Unit
from tollkeeper_daemon.rules.settings import Dollars, Label, Tokens, nano_of
from tollkeeper_daemon.rules.terms import EVERY, Own
from tollkeeper_daemon.watched import stage_in


class Bounded(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of these: whose spending is bounded; a ``stage`` is one of its ``workflow``."""

    agent: Label | None = None
    workflow: Label | None = None
    stage: Label | None = None
    task: Label | None = None
    conversation: Label | None = None
    run: bool = False
    daily: bool = False


class NewLimit(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many dollars or tokens, 0 for no limit; without an action it is the settings' own.

    With ``dry_run`` nothing is set.
    """

    usd: Dollars | None = None
    tokens: Tokens | None = None
    action: LimitAction | None = None
    dry_run: bool = False


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """How the limit stands, whom it stops at once, and who has room now and is still held."""
    wish = params_as(NewLimit, params)
    scope = scope_of(daemon, wish)
    unit, own = _own(wish)
    limits = daemon.budgets.limits
    if limits.is_full(scope, unit):
        raise Refused("too-many", f"{MOST_BY_HAND:,} limits are set by hand", "toll limit clear")
    stand, effects = (
        limits.weigh(scope, unit, own) if wish.dry_run else limits.set(scope, unit, own, now_ms())
    )
    return {
        "limit": stand,
        "hit": effects,
        "offered": daemon.budgets.offered(),
        "saved": daemon.budgets.bar.is_saved,
    }


def running(daemon: Daemon, word: str) -> str:
    """The id of the running agent that this word names; Refused when there is none, or several."""
    return find_one(daemon, word).record.id


def scope_of(
    daemon: Daemon, wish: Bounded, agent_id: Callable[[Daemon, str], str] = running
) -> Scope:
    """The scope that is meant; Refused when none is, or more than one. ``agent_id`` finds agents."""
    if wish.stage and not wish.workflow:
        raise Refused("bad-params", "a stage is one of a workflow: name that, too")
    named: dict[ScopeKind, str | None] = {
        "agent": wish.agent and agent_id(daemon, wish.agent),
        "workflow": None if wish.stage else wish.workflow,
        "stage": wish.stage and stage_in(wish.workflow or "", wish.stage),
        "task": wish.task,
        "conversation": wish.conversation and _conversation(daemon, wish.conversation),
        "run": EVERY if wish.run else None,
        "daily": EVERY if wish.daily else None,
    }
    meant = [Scope(kind, name) for kind, name in named.items() if name is not None]
    if len(meant) != 1:
        raise Refused(
            "bad-params",
            "name one of agent, run, daily, workflow (and stage), task and conversation",
        )
    return meant[0]


def _conversation(daemon: Daemon, word: str) -> str:
    """The conversation of an agent whose id begins so, else just what was named."""
    held = {agent.record.conversation for agent in daemon.roster.alive()}
    begun = sorted(each for each in held if is_begun(each, word))
    if len(begun) > 1 and word not in held:
        raise Refused("ambiguous", f"{word!r} may be {' or '.join(begun)}", "name it in full")
    return begun[0] if len(begun) == 1 else word


def _own(wish: NewLimit) -> tuple[Unit, Own]:
    if (wish.usd is None) == (wish.tokens is None):
        raise Refused("bad-params", "a limit is in usd or in tokens: give one of them")
    if wish.tokens is not None:
        return "tokens", Own(wish.tokens, wish.action)
    return "usd", Own(nano_of(wish.usd or 0), wish.action)
