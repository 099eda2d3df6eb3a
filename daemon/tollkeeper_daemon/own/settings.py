"""The settings in force: those of config.toml, followed as that file changes."""

import logging
from collections.abc import Callable

from tollkeeper.model import AlertKind
from tollkeeper_daemon.config import Config, ConfigError, load_config
from tollkeeper_daemon.own.file import Changes, OwnFile

log = logging.getLogger(__name__)

Follower = Callable[[Config], None]


class Settings:
    """What the daemon began with, and what became of it.

    Limits, notices, commands, reports and who pays follow the file at once. Where agents are looked for
    and how long history is kept is read once, at the start.
    """

    def __init__(
        self, file: OwnFile, config: Config, alert: Callable[[AlertKind, str], None]
    ) -> None:
        self.config = config
        self.path = file.path
        self._changes = Changes(file)
        self._alert = alert
        self._followers: list[Follower] = []
        self._broken = ""

    def follow(self, follower: Follower) -> None:
        """Call this with the settings each time that they changed."""
        self._followers.append(follower)

    def look(self) -> None:
        """Put the file in force if it has changed and is at rest; what is wrong with it is told once."""
        if not self._changes.are_at_rest():
            return
        try:
            config = load_config(self.path)
        except ConfigError as error:
            if self._broken != str(error):
                self._alert("failed", f"{error}; the settings before it stay in force")
            self._broken = str(error)
            return
        self._broken = ""
        if config != self.config:
            self.config = config
            log.info("the settings in %s are in force", self.path)
            for follower in self._followers:
                follower(config)
