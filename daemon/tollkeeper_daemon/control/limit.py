"""``limit``: the limits in force, and those that were set by hand."""

from typing import Any

from tollkeeper_daemon.daemon import Daemon


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """How each stands, those of the agents too."""
    return {"limits": daemon.budgets.limits.all(), "by_hand": daemon.budgets.limits.by_hand()}
