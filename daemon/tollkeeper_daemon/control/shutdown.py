"""``shutdown``: the daemon ends."""

import os
from typing import Any

from tollkeeper_daemon.daemon import Daemon


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The pid that is about to end, and the names of the agents that it leaves paused."""
    daemon.shut_down()
    return {"pid": os.getpid(), "paused": [agent.name for agent in daemon.budgets.frozen()]}
