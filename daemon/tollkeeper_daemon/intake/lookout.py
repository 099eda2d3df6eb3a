"""Looks for what nobody tells of: homes and clients that came, and logs that grew unheard."""

import time

from tollkeeper_daemon.agents.census import Census
from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.audit.auditor import Auditor
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.events import Inlet
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.history import History
from tollkeeper_daemon.intake.past import Past
from tollkeeper_daemon.reading.marks import Marks
from tollkeeper_daemon.sources.watcher import Watcher

HEARD_WITHIN_SECONDS = 5.0


class Lookout:
    """Keeps the followed homes under watch. ``processes``: look for clients among those too."""

    def __init__(
        self,
        inlet: Inlet,
        followed: Followed,
        watcher: Watcher,
        census: Census,
        history: History,
        past: Past,
        marks: Marks,
        auditor: Auditor,
        herald: Herald,
        processes: bool,
        failures: Failures,
    ) -> None:
        self._inlet = inlet
        self._followed = followed
        self._watcher = watcher
        self._census = census
        self._history = history
        self._past = past
        self._marks = marks
        self._auditor = auditor
        self._herald = herald
        self._processes = processes
        self._failures = failures

    async def listen(self) -> None:
        """Take in the folders of homes as soon as they are heard of."""
        while True:
            await self._inlet.folders.wait()
            self._inlet.folders.clear()
            self._failures.attempt(self.take_in_folders)

    def take_in_folders(self) -> None:
        """Follow the folders that came, and read what they hold; a mere look when none did."""
        if self._watch_folders():
            self._read_sessions(now_ms())
            self.catch_up()

    def look_around(self) -> None:
        """Follow what is there by now, and read what it holds."""
        now = now_ms()
        if self.follow_homes(now):
            self.catch_up()
        if self.find_clients(now):
            self.catch_up()

    def follow_homes(self, now: int) -> bool:
        """Whether more of the homes is under watch now."""
        came = self._watch_folders()
        self._read_sessions(now)
        return came

    def find_clients(self, now: int) -> bool:
        """Look for clients without session files; whether that brought a home under watch."""
        known = len(self._followed.homes)
        if self._processes:
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

    def _watch_folders(self) -> bool:
        """Whether there are more folders to watch; none is taken in during an import."""
        if self._herald.importing:
            return False
        return bool([home for home in self._followed.homes if self._watcher.follow(home)])

    def _read_sessions(self, now: int) -> None:
        """Before the logs, so that what is history is booked as such to its agents."""
        for home in self._followed.homes:
            self._census.read_sessions(home, now)
