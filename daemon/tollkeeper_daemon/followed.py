"""The homes that are followed: which paths are theirs, and who pays in each."""

import os
from collections.abc import Iterator
from pathlib import Path

from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION
from tollkeeper_daemon.sources.homes import (
    Home,
    Homes,
    account_in,
    names_subscription,
    settings_files,
)
from tollkeeper_daemon.sources.tail import find_logs


class Followed:
    """The followed homes; outside bounds set by hand, those of running agents come in later.

    ``source`` is the setting: who pays, or ``auto`` to tell it from the client's own settings.
    """

    def __init__(self, homes: Homes, source: str) -> None:
        self.homes = list(homes.homes)
        self._bounded = homes.bounded
        self._source = source
        self._settings: dict[Path, tuple[int, bool]] = {}
        self._accounts: dict[Path, tuple[int, str]] = {}

    def admit(self, path: str) -> tuple[Home | None, bool]:
        """The followed home at this path, and whether it was only now taken in."""
        home = Home(Path(os.path.realpath(path)))
        if home in self.homes:
            return home, False
        if self._bounded or not home.path.is_dir():
            return None, False
        self.homes.append(home)
        return home, True

    def may_follow(self, path: str) -> bool:
        """Whether agents of the home at this path are any of our business."""
        return not self._bounded or Home(Path(os.path.realpath(path))) in self.homes

    def holds(self, path: str) -> bool:
        """Whether this is the path of a log in one of the homes."""
        return self.home_of_log(path) is not None

    def home_of_log(self, path: str) -> Home | None:
        """The home whose log this is."""
        return next(
            (home for home in self.homes if path.startswith(f"{home.projects}{os.sep}")), None
        )

    def home_of_session(self, path: str) -> Home | None:
        """The home whose session file this is."""
        folder = os.path.dirname(path)
        return next((home for home in self.homes if str(home.sessions) == folder), None)

    def logs(self) -> Iterator["os.DirEntry[str]"]:
        """Every log there is."""
        for home in self.homes:
            yield from find_logs(home.projects)

    def is_subscribed(self, home: Home) -> bool:
        """Whether a client of this home without an API key runs on a subscription."""
        if self._source != "auto":
            return self._source == SUBSCRIPTION
        return any(self._names_subscription(file) for file in settings_files(home))

    def _names_subscription(self, file: Path) -> bool:
        """Read the file again only when it was written since."""
        try:
            written = os.stat(file).st_mtime_ns
        except OSError:
            return False
        known = self._settings.get(file)
        if known is None or known[0] != written:
            known = self._settings[file] = (written, names_subscription(file))
        return known[1]

    def account_of(self, home: Home) -> str:
        """The account of the subscription that clients of this home use; empty where not known."""
        found = (self._account_in(file) for file in settings_files(home))
        return next((account for account in found if account), "")

    def _account_in(self, file: Path) -> str:
        """Read the file again only when it was written since."""
        try:
            written = os.stat(file).st_mtime_ns
        except OSError:
            return ""
        known = self._accounts.get(file)
        if known is None or known[0] != written:
            known = self._accounts[file] = (written, account_in(file))
        return known[1]

    def source_of(self, path: str) -> str:
        """Who pays for the requests of this log, as far as its home tells."""
        home = self.home_of_log(path)
        return SUBSCRIPTION if home and self.is_subscribed(home) else API
