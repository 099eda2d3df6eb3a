"""The settings in force: those of config.toml, followed as that file changes."""

import logging
from collections.abc import Callable
from typing import Any

from tollkeeper.model import AlertKind
from tollkeeper_daemon.config import Config, ConfigError, config_of, found_in, load_config
from tollkeeper_daemon.own.file import Changes, OwnFile, OwnFileError

log = logging.getLogger(__name__)

Follower = Callable[[Config], None]


class Settings:
    """What the daemon began with (``began_with``), and what became of it (``config``).

    Limits, notices, commands, reports and who pays follow the file at once. Where agents are looked for
    and how long history is kept is read once, at the start.
    """

    def __init__(
        self, file: OwnFile, config: Config, alert: Callable[[AlertKind, str], None]
    ) -> None:
        self.began_with = self.config = config
        self.file = file
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
            config = load_config(self.file.path)
        except ConfigError as error:
            if self._broken != str(error):
                self._alert(
                    "failed", f"{error}; the settings from before the mistake stay in force"
                )
            self._broken = str(error)
        else:
            self._put_in_force(config)

    def read(self) -> tuple[dict[str, Any], str | None]:
        """What the file sets as it now is, and what is wrong with it, None for nothing; for a thread."""
        found: dict[str, Any] = {}
        try:
            found = found_in(self.file.read() or "")
            config_of(found)
        except ConfigError as error:
            return found, f"{self.file.path}: {error}"
        except OwnFileError as error:
            return found, str(error)
        return found, None

    async def edit(self, change: Callable[[str | None], str]) -> None:
        """Write the file as changed, and put it in force; what nothing changes is put in force as it is.

        ``change`` is given the text, None where there is no file. A file that says what can't be is written
        all the same, also where more is wrong with it than is mended, and that is not put in force: ``read``
        tells it. ConfigError when it is no TOML, would be broken by the change, or is broken and not
        changed; OwnFileError when it can't be read or written; what ``change`` raises is raised. The file
        is then as it was.
        """

        def checked(text: str | None) -> tuple[str | None, Config | None]:
            before = text or ""
            self._found_in(before)
            changed = change(text)
            return None if changed == before else changed, self._after(before, changed)

        config = await self.file.edit(checked)
        self._changes.forget()
        if config:
            self._put_in_force(config)

    def _after(self, before: str, changed: str) -> Config | None:
        """What the file says once it is changed; None where it was broken before, and still is."""
        found = self._found_in(changed)
        try:
            return config_of(found)
        except ConfigError as error:
            if changed == before or self._fits(before):
                raise self._named(error) from None
            return None

    def _fits(self, text: str) -> bool:
        try:
            config_of(found_in(text))
        except ConfigError:
            return False
        return True

    def _found_in(self, text: str) -> dict[str, Any]:
        try:
            return found_in(text)
        except ConfigError as error:
            raise self._named(error) from None

    def _named(self, error: ConfigError) -> ConfigError:
        return ConfigError(f"{self.file.path}: {error}")

    def _put_in_force(self, config: Config) -> None:
        self._broken = ""
        if config != self.config:
            self.config = config
            log.info("the settings in %s are in force", self.file.path)
            for follower in self._followers:
                follower(config)
