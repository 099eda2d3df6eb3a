"""``shutdown``: the daemon ends."""

import os
from typing import Any

from tollkeeper_daemon.daemon import Daemon

LEFT = ("paused", "blocked")


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The pid that is about to end, and the names of the agents that it leaves paused and blocked."""
    daemon.shut_down()
    held = daemon.budgets.held()
    left = {how: [name for name, kind in held.items() if kind == how] for how in LEFT}
    return {"pid": os.getpid(), **left}
