"""Where Claude Code's managed settings lie: those of an administrator, which go before all others."""

import os
import sys
from collections.abc import Mapping

# Another folder than the usual one, as for tests.
VARIABLE = "TOLL_MANAGED_SETTINGS"
FOLDER = (
    "/Library/Application Support/ClaudeCode" if sys.platform == "darwin" else "/etc/claude-code"
)


def managed_files(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The files that there may be, each before those that it goes before.

    As the client has it (version 2.1.330): those in ``managed-settings.d`` by their names, the last
    first, and then ``managed-settings.json``.
    """
    folder = environment.get(VARIABLE) or FOLDER
    parts = f"{folder}/managed-settings.d"
    try:
        names = sorted(os.listdir(parts), reverse=True)
    except OSError:
        names = []
    found = [f"{parts}/{name}" for name in names if name.endswith(".json") and name[0] != "."]
    return [*found, f"{folder}/managed-settings.json"]
