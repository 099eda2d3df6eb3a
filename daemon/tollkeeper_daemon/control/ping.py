"""``ping``: the daemon is there, and which one."""

import os
from typing import Any

from tollkeeper import __version__, wire
from tollkeeper_daemon.daemon import Daemon


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """Pid, version and protocol."""
    return {"pid": os.getpid(), "version": __version__, "protocol": wire.PROTOCOL}
