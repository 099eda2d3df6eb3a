"""Where things live: config, data and run directories, and the files in them."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tollkeeper.errors import PlaceError
from tollkeeper.ours import STATUS_SCRIPT
from tollkeeper.places import (
    ALIVE_FILE,
    CONTROL_SOCKET,
    DENY_FOLDER,
    INBOX_FOLDER,
    SEGMENTS_FOLDER,
    STATUS_FOLDER,
    find_places,
)

# What a Unix socket's address holds, less the closing zero byte (sun_path in sys/un.h).
LONGEST_SOCKET_PATH = 103 if sys.platform == "darwin" else 107


class Paths(Struct, frozen=True):
    """The three directories of one Tollkeeper, and the names inside them."""

    config: Path
    data: Path
    run: Path

    @property
    def own_home(self) -> Path:
        """What ``TOLL_HOME`` named, where it did: absolute, so that it holds in any directory."""
        return self.data.parent

    @property
    def control_socket(self) -> Path:
        return self.run / CONTROL_SOCKET

    @property
    def updates_socket(self) -> Path:
        return self.run / "updates.sock"

    @property
    def deny(self) -> Path:
        """Answers kept ready for hooks: a file for each conversation that may use no more tools."""
        return self.run / DENY_FOLDER

    @property
    def inbox(self) -> Path:
        """What status lines and hooks leave for the daemon, a file each."""
        return self.run / INBOX_FOLDER

    @property
    def status_inbox(self) -> Path:
        """In the inbox: the latest of each status line. Many at once: these are not watched."""
        return self.inbox / STATUS_FOLDER

    @property
    def segments(self) -> Path:
        """Lines kept ready for status lines and prompts: of everything, a conversation, an agent."""
        return self.run / SEGMENTS_FOLDER

    @property
    def alive(self) -> Path:
        """An empty file whose time lies ahead for as long as a daemon lives."""
        return self.run / ALIVE_FILE

    @property
    def lock(self) -> Path:
        return self.run / "tolld.lock"

    @property
    def frozen(self) -> Path:
        """Which agents are paused, so that they can be resumed with no daemon running."""
        return self.run / "paused.json"

    @property
    def ledger_lock(self) -> Path:
        """Held beside the ledger: it may be shared by environments with other run directories."""
        return self.data / "tolld.lock"

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.lmdb"

    @property
    def status_script(self) -> Path:
        """What Claude Code runs as its status line, once it is set up."""
        return self.data / STATUS_SCRIPT

    @property
    def setups(self) -> Path:
        """What was put into which of Claude Code's settings files."""
        return self.data / "setup.json"

    @property
    def log(self) -> Path:
        return self.data / "tolld.log"

    @property
    def settings(self) -> Path:
        return self.config / "config.toml"

    @property
    def prices(self) -> Path:
        return self.config / "prices.toml"

    @property
    def plans(self) -> Path:
        return self.config / "plans.toml"


def find_paths(environment: Mapping[str, str] = os.environ) -> Paths:
    """The directories that this environment asks for.

    PlaceError when the run directory's path is too long for a socket.
    """
    paths = Paths(*map(Path, find_places(environment)))
    if len(os.fsencode(paths.updates_socket)) > LONGEST_SOCKET_PATH:
        raise PlaceError(
            f"the path of {paths.run} is too long for a socket",
            "set TOLL_HOME or XDG_RUNTIME_DIR to a shorter one",
        )
    return paths


def absolute_homes(homes: str) -> str:
    """The Claude homes that ``CLAUDE_CONFIG_DIR`` names, so that they hold in any directory."""
    named = (home.strip() for home in homes.split(","))
    return ",".join(str(Path(home).expanduser().absolute()) for home in named if home)
