"""``resume``: let agents go on that are held, with more budget when some is added."""

from typing import Any

from msgspec import Struct

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.control.whom import find
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.rules.settings import MoreDollars, MoreTokens, nano_of


class Resume(Struct, frozen=True, forbid_unknown_fields=True):
    """``agents`` name some; ``all`` means every one that is held.

    ``add_usd`` or ``add_tokens`` raises the limits that hold them, so that so much is left.
    """

    agents: tuple[str, ...] = ()
    all: bool = False
    add_usd: MoreDollars | None = None
    add_tokens: MoreTokens | None = None


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """What came of it, agent by agent, and who else has room now and is still held."""
    wish = params_as(Resume, params)
    if wish.add_usd is not None and wish.add_tokens is not None:
        raise Refused("bad-params", "add dollars, or tokens: not both")
    agents = find(daemon, wish.agents, wish.all)
    if wish.all:
        agents = [agent for agent in agents if daemon.budgets.agents.is_held(agent)]
    more = wish.add_tokens or nano_of(wish.add_usd or 0)
    unit = "tokens" if wish.add_tokens else "usd" if wish.add_usd else None
    done = daemon.budgets.agents.resume(agents, unit, more, now_ms())
    return {"done": done, "offered": daemon.budgets.offered()}
