"""``snapshot``: the state of everything."""

from typing import Any

from tollkeeper.model import Status
from tollkeeper_daemon.daemon import Daemon


def answer(daemon: Daemon, params: dict[str, Any]) -> Status:
    """The status as of the latest update; updates with a higher sequence go on top."""
    return daemon.snapshot()
