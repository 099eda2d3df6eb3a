"""``limit.clear``: take back a limit that was set by hand; the settings' own holds again."""

from typing import Any

from tollkeeper.naming import named, several
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.limit_set import Bounded, running, scope_of
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.rules.limits import UNITS, Unit


class Cleared(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose limit; in both units, unless one is named. With ``dry_run`` nothing is cleared."""

    unit: Unit | None = None
    dry_run: bool = False


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The units in which there was one, what holds instead, whom that stops, and who has room now."""
    wish = params_as(Cleared, params)
    scope = scope_of(daemon, wish, _listed)
    limits = daemon.budgets.limits
    units = limits.set_in(scope, [wish.unit] if wish.unit else UNITS)
    if not units:
        raise Refused("not-found", "no such limit was set by hand", "see: toll limit")
    instead, hit = (
        limits.weigh_clearing(scope, units)
        if wish.dry_run
        else limits.clear(scope, units, now_ms())
    )
    return {
        "cleared": units,
        "limits": instead,
        "hit": hit,
        "offered": daemon.budgets.offered(),
        "saved": daemon.budgets.bar.is_saved,
    }


def _listed(daemon: Daemon, word: str) -> str:
    """The id of the agent that is meant, also of one that has ended whose limit is still listed.

    One that runs goes before, but for one whose limit is not set by hand.
    """
    by_hand = daemon.budgets.limits.agents_by_hand()
    known = [agent.record for agent in daemon.roster.agents.values()]
    of_running = [each for each in named(word, known) if not each.ended]
    ended = named(word, [each for each in known if each.ended and each.id in by_hand])
    if word in by_hand:  # So one is listed whose name is not known any more.
        return word
    if any(each.id in by_hand for each in of_running) or not ended:
        return running(daemon, word)
    if len(ended) > 1:
        raise Refused("ambiguous", several(word, ended), "name it by its pid")
    return ended[0].id
