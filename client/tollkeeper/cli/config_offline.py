"""Sets settings where the daemon does not start: what config.toml says may be the reason."""

from __future__ import annotations

import json
import subprocess
import sys

from tollkeeper.errors import CallError, StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PATIENCE_SECONDS = 20.0


def set_offline(values: dict[str, Any]) -> None:
    """Write these settings by the daemon's own rules, in a process that ends with it.

    CallError when one of them can't be, or the file can't be edited; StartError when there is no telling.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tollkeeper_daemon.control.config_offline"],
            input=json.dumps(values).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        refused = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        raise StartError("the settings can't be written without a daemon", "toll doctor") from None
    if refused:
        raise CallError(*refused)
