"""``limit.clear``: take back a limit that was set by hand; the settings' own holds again."""

from collections.abc import Sequence
from typing import Any

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.limit_set import Bounded, scope_of
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.rules.limits import UNITS, Unit


class Cleared(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose limit; in both units, unless one is named."""

    unit: Unit | None = None


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The units in which there was one, and who has room now and is still held."""
    wish = params_as(Cleared, params)
    scope = scope_of(daemon, wish)
    units: Sequence[Unit] = [wish.unit] if wish.unit else UNITS
    cleared = [unit for unit in units if daemon.budgets.limits.clear(scope, unit, now_ms())]
    if not cleared:
        raise Refused("not-found", "no such limit was set by hand", "see: toll limit")
    return {
        "cleared": cleared,
        "offered": daemon.budgets.offered(),
        "saved": daemon.budgets.bar.is_saved,
    }
