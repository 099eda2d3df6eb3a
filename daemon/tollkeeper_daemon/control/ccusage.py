"""``ccusage``: what ccusage tells of the logs, beside the ledger, with the causes of each difference."""

from typing import Any

from msgspec import Struct

from tollkeeper_daemon.ccusage.program import CcusageError
from tollkeeper_daemon.ccusage.snapshot import Snapshot
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.control.sheets import zone_in
from tollkeeper_daemon.daemon import Daemon


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """``timezone`` is an IANA name; without it days are the daemon's own."""

    timezone: str | None = None


async def answer(daemon: Daemon, params: dict[str, Any]) -> Snapshot:
    """Ask the ccusage that is installed, and keep the snapshot; this may take minutes."""
    asked = params_as(Asked, params)
    zone_in(asked.timezone)
    if daemon.herald.importing:
        raise Refused("importing", "the history is still being read", "ask again in a moment")
    try:
        return await daemon.ccusage.ask(asked.timezone)
    except CcusageError as error:
        raise Refused("ccusage", str(error), error.hint or None) from None
