"""Takes in what changed: reads session files and logs on, as soon as they are heard of."""

from collections.abc import Iterable

from tollkeeper_daemon.agents.census import Census
from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.events import Inlet
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.history import Pending
from tollkeeper_daemon.intake.posting import Posting
from tollkeeper_daemon.reading.marks import Marks
from tollkeeper_daemon.reading.salvage import salvage
from tollkeeper_daemon.reading.scan import Scan


class Intake:
    """Reads what comes through the inlet, and hands it on."""

    def __init__(
        self,
        inlet: Inlet,
        followed: Followed,
        pending: Pending,
        marks: Marks,
        census: Census,
        posting: Posting,
        herald: Herald,
        failures: Failures,
    ) -> None:
        self._inlet = inlet
        self._followed = followed
        self._pending = pending
        self._marks = marks
        self._census = census
        self._posting = posting
        self._herald = herald
        self._failures = failures

    async def listen(self) -> None:
        """Read whatever arrives, session files first, for as long as the daemon lives."""
        while True:
            await self._inlet.arrived.wait()
            sessions, logs = self._inlet.take()
            for path in sessions:
                self._failures.attempt(self._read_session, path)
            self.read(logs)

    def read(self, logs: list[str]) -> list[str]:
        """Read these logs together, or, when that fails, one by one; those that failed."""
        if self._failures.attempt(self._read_logs, logs):
            return []
        return [path for path in logs if not self._failures.attempt(self._read_logs, [path])]

    def _read_session(self, path: str) -> None:
        if home := self._followed.home_of_session(path):
            self._census.read_session(path, home, now_ms())

    def _read_logs(self, paths: Iterable[str]) -> None:
        """Read these logs on and post what they say; a log still in the import waits for it."""
        now = now_ms()
        scans = [scan for path in paths if (scan := self._scan(path, now))]
        news = [scan for scan in scans if scan.bytes or scan.helper]
        if news:
            salvage(news, lambda scans: self._posting.post(scans, now), self._herald.lost)
        for scan in scans:
            if scan.more:
                self._inlet.log_changed(scan.path)

    def _scan(self, path: str, now: int) -> Scan | None:
        if self._pending.has(path) or not self._followed.holds(path):
            return None
        return self._marks.scan(path, now)
