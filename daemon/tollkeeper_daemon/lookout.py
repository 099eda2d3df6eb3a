"""Looks for what nobody tells of: homes and clients that came, and logs that grew unheard."""

import time

from tollkeeper_daemon.auditor import Auditor
from tollkeeper_daemon.census import Census
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.followed import Followed
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.history import History
from tollkeeper_daemon.marks import Marks
from tollkeeper_daemon.past import Past
from tollkeeper_daemon.settings import Settings
from tollkeeper_daemon.sources.watcher import Watcher

HEARD_WITHIN_SECONDS = 5.0


class Lookout:
    """Keeps the followed homes under watch."""

    def __init__(
        self,
        followed: Followed,
        watcher: Watcher,
        census: Census,
        history: History,
        past: Past,
        marks: Marks,
        auditor: Auditor,
        herald: Herald,
        settings: Settings,
    ) -> None:
        self._followed = followed
        self._watcher = watcher
        self._census = census
        self._history = history
        self._past = past
        self._marks = marks
        self._auditor = auditor
        self._herald = herald
        self._settings = settings

    def look_around(self) -> None:
        """Follow what is there by now, and read what it holds."""
        now = now_ms()
        if self.follow_homes(now):
            self.catch_up()
        if self.find_clients(now):
            self.catch_up()

    def follow_homes(self, now: int) -> bool:
        """Whether more of the homes is under watch now; none is taken in during an import."""
        came = False
        for home in self._followed.homes:
            came |= self._herald.importing is None and self._watcher.follow(home)
            # Before the logs, so that what is history is booked as such to its agents.
            self._census.read_sessions(home, now)
        return came

    def find_clients(self, now: int) -> bool:
        """Look for clients without session files; whether that brought a home under watch."""
        known = len(self._followed.homes)
        if self._settings.config.sources.processes:
            self._census.find_clients(now)
        return len(self._followed.homes) > known and self.follow_homes(now)

    def catch_up(self) -> None:
        """Read what the logs hold already."""
        with self._auditor.history():
            self._history.catch_up()
            self._past.read_statistics()

    def sweep(self) -> None:
        """Find what the file events missed; when they miss much, hear in another way."""
        overdue = time.time() - HEARD_WITHIN_SECONDS
        found = [job for job in self._history.catch_up() if job.modified < overdue]
        self._past.read_statistics()
        if not self._herald.importing and any(map(self._marks.has_moved_on, found)):
            self._watcher.fall_back("changes of logs were not heard of")
