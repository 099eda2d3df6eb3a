"""``limit.clear``: take back a limit that was set by hand; the settings' own holds again."""

from typing import Any

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.limit_set import Bounded, scope_of
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
    scope = scope_of(daemon, wish)
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
