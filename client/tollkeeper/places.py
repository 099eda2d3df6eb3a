"""Where the three directories of a Tollkeeper lie; plain text, for commands that must start at once."""

import os
import sys
from collections.abc import Mapping

CONTROL_SOCKET = "control.sock"
DENY_FOLDER = "deny"
INBOX_FOLDER = "inbox"
SEGMENTS_FOLDER = "segments"
# The segment of everything; the others are named after a conversation, or an agent's pid.
SEGMENT_OF_ALL = "all"
# Its time lies ahead for as long as a daemon lives: who finds it in the past shows no old figures.
ALIVE_FILE = "alive"
# In the inbox: what Claude Code handed to its status line, a file named after each conversation.
STATUS_FOLDER = "status"
HOOK_PREFIX = "hook-"
# Behind the name of a conversation that is near a limit: its hooks wait a moment for a refusal.
NEAR_SUFFIX = ".near"
LONGEST_FILE_NAME = 200


def find_places(environment: Mapping[str, str] = os.environ) -> tuple[str, str, str]:
    """The config, data and run directories that this environment asks for.

    ``TOLL_HOME`` puts all three under one directory; else the XDG base directories rule
    (https://specifications.freedesktop.org/basedir-spec), on macOS Application Support.
    """
    if own := environment.get("TOLL_HOME"):
        home = os.path.expanduser(own)
        if not os.path.isabs(home):  # Only then: an agent's own directory may be gone.
            home = os.path.join(os.getcwd(), home)
        return tuple(os.path.join(home, name) for name in ("config", "data", "run"))  # pyright: ignore[reportReturnType]
    home = environment.get("HOME") or os.path.expanduser("~")
    support = "Library/Application Support" if sys.platform == "darwin" else None

    def base(variable: str, fallback: str) -> str:
        named = environment.get(variable) or ""
        return os.path.join(
            named if os.path.isabs(named) else os.path.join(home, fallback), "tollkeeper"
        )

    runtime = environment.get("XDG_RUNTIME_DIR") or ""
    if os.path.isabs(runtime):
        run = os.path.join(runtime, "tollkeeper")
    else:
        run = os.path.join(base("XDG_STATE_HOME", support or ".local/state"), "run")
    return (
        base("XDG_CONFIG_HOME", support or ".config"),
        base("XDG_DATA_HOME", support or ".local/share"),
        run,
    )


def is_file_name(text: str) -> bool:
    """Whether a file may be named by this text of others: no way leads out of a folder by it.

    ASCII letters and digits, ``-`` and ``_``, and not too many: as the ids of conversations are.
    """
    letters = text.replace("-", "x").replace("_", "x")
    return len(text) <= LONGEST_FILE_NAME and letters.isascii() and letters.isalnum()
