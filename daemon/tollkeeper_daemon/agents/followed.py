"""The homes that are followed: which paths are theirs, and who pays in each."""

import os
from collections.abc import Iterator
from pathlib import Path

from tollkeeper.managed import managed_files
from tollkeeper_daemon.config import Accounts
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION
from tollkeeper_daemon.sources.homes import Home, Homes, settings_files
from tollkeeper_daemon.sources.paying import (
    TOKEN,
    Remembered,
    Said,
    account_at,
    less_hidden,
    means_by,
    own_says,
    settings_say,
    state_says,
    together,
)
from tollkeeper_daemon.sources.tail import find_logs
from tollkeeper_daemon.store.schema import AgentRecord

SET_BY_HAND = (SUBSCRIPTION, API)
NOTHING = Said()


def own_of(record: AgentRecord) -> Said:
    """What the environment of an agent says of who pays for it."""
    names = (*record.keys, TOKEN) if record.by_token else record.keys
    return own_says(names, record.server)


class Followed:
    """The followed homes; outside bounds set by hand, those of running agents come in later.

    ``accounts`` are the settings now: who pays where neither an agent nor a log tells.
    """

    def __init__(self, homes: Homes, accounts: Accounts) -> None:
        self.homes = list(homes.homes)
        self._bounded = homes.bounded
        self.accounts = accounts
        self._settings = Remembered(settings_say, Said())
        self._states: Remembered[str | None] = Remembered(state_says, None)

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
        return next((home for home in self.homes if home.has_log(path)), None)

    def home_of_session(self, path: str) -> Home | None:
        """The home whose session file this is."""
        folder = os.path.dirname(path)
        return next((home for home in self.homes if str(home.sessions) == folder), None)

    def logs(self) -> Iterator["os.DirEntry[str]"]:
        """Every log there is."""
        for home in self.homes:
            yield from find_logs(home.projects)

    def is_subscribed(self, home: Home) -> bool:
        """Whether a client of this home runs on a subscription, unless its environment tells."""
        if source := self.set_by_hand(home):
            return source == SUBSCRIPTION
        means = means_by(self._settings_of(home, ""))
        return not means.by_key and (means.by_token or self._account_in(home) is not None)

    def set_by_hand(self, home: Home) -> str:
        """Who pays in this home by ``[accounts]``; empty where that leaves it open."""
        source = self.accounts.of_home(str(home.path))
        return source if source in SET_BY_HAND else ""

    def account_of(self, home: Home) -> str:
        """The account of the subscription that the home names; empty where it names none."""
        return self._account_in(home) or ""

    def home_of_account(self, account: str) -> str | None:
        """The path of the first home that names this account."""
        homes = (home for home in self.homes if account == self.account_of(home))
        return next((str(home.path) for home in homes), None)

    def payer_in(self, home: Home, cwd: str, own: Said = NOTHING) -> tuple[str, str]:
        """Who pays for a client that works there, and its account; ``own`` its environment says.

        Both are empty where nothing tells.
        """
        settings = self._settings_of(home, cwd)
        own = less_hidden(own, settings)
        if not own.is_set and (source := self.set_by_hand(home)):
            return (SUBSCRIPTION, self.account_of(home)) if source == SUBSCRIPTION else ("", "")
        means = means_by(together([settings, own]))
        if means.by_key:
            return API, account_at(means.server)
        if means.by_token:
            return SUBSCRIPTION, ""
        account = self._account_in(home)
        return ("", "") if account is None else (SUBSCRIPTION, account)

    def server_of(self, record: AgentRecord) -> str:
        """The server that the agent asks in the place of Anthropic's; empty for none."""
        if not record.home:
            return record.server
        settings = self._settings_of(Home(Path(record.home)), record.cwd)
        return means_by(together([settings, own_of(record)])).server

    def has_token(self, home: Home, cwd: str = "", own: Said = NOTHING) -> bool:
        """Whether a client has the token of a subscription, which names no account."""
        return means_by(together([self._settings_of(home, cwd), own])).by_token

    def payer_of_log(self, path: str) -> tuple[str, str]:
        """Who pays for the requests of this log, and with which account, as far as its home tells."""
        home = self.home_of_log(path)
        if home is None or not self.is_subscribed(home):
            return API, ""
        return SUBSCRIPTION, "" if self.has_token(home) else self.account_of(home)

    def _settings_of(self, home: Home, cwd: str) -> Said:
        """What settings say together of a client that works there."""
        files = [f"{home.path}/settings.json"]
        if cwd:
            project = f"{cwd}/.claude"
            files[:0] = [f"{project}/settings.local.json", f"{project}/settings.json"]
        return together(map(self._settings.read, [*managed_files(), *files]))

    def _account_in(self, home: Home) -> str | None:
        named = (self._states.read(file) for file in settings_files(home))
        return next((account for account in named if account is not None), None)
