"""What becomes of the history that is read: it is booked, and the limits act from there on."""

from collections.abc import Callable

from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.audit.auditor import Auditor
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.days import Days
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.agents import Agents
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.intake import Intake
from tollkeeper_daemon.intake.posting import Posting
from tollkeeper_daemon.intake.watched_homes import WatchedHomes
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.reading.stats_caches import StatsCaches
from tollkeeper_daemon.retention import Retention
from tollkeeper_daemon.sources.homes import Home


class Past:
    """Takes what ``History`` finds. ``let_go`` gives back the memory that an import took."""

    def __init__(
        self,
        days: Days,
        watched: WatchedHomes,
        followed: Followed,
        roster: Roster,
        agents: Agents,
        intake: Intake,
        posting: Posting,
        budgets: Budgets,
        stats_caches: StatsCaches,
        retention: Retention,
        auditor: Auditor,
        herald: Herald,
        failures: Failures,
        let_go: Callable[[], None],
    ) -> None:
        self._days = days
        self._watched = watched
        self._followed = followed
        self._roster = roster
        self._agents = agents
        self._intake = intake
        self._posting = posting
        self._budgets = budgets
        self._stats_caches = stats_caches
        self._retention = retention
        self._auditor = auditor
        self._herald = herald
        self._failures = failures
        self._let_go = let_go

    def read(self, logs: list[str]) -> None:
        """Read on what waited for an import."""
        self._intake.read(logs)

    def read_past(self, logs: list[str]) -> list[str]:
        """Read what is little enough to be read at once; those that failed."""
        self._days.check(now_ms())
        new, known = self._watched.parted(logs, str)
        with self._budgets.bar.history(now_ms()):
            failed = self._intake.read(new)
        return failed + self._intake.read(known)

    def post(self, scans: list[Scan]) -> None:
        """Book what an import has read."""
        now = now_ms()
        self._days.check(now)
        new, known = self._watched.parted(scans, lambda scan: scan.path)
        if new:
            with self._budgets.bar.history(now):
                self._posting.post_past(new, now)
        if known:
            self._posting.post_past(known, now)

    def begins(self) -> None:
        """An import begins: of old requests lines are still to come."""
        self._retention.pause()

    def is_read(self, homes: list[Home]) -> None:
        """These homes hold nothing that was not read: from now on all that comes in them is news."""
        self._watched.add(homes)
        if not self._budgets.bar.is_open:
            self._failures.attempt(self._budgets.begin, now_ms())

    def ends(self) -> None:
        """An import is over, or failed: tell where everything stands now."""
        now = now_ms()
        self._retention.go_on()
        self._failures.attempt(self._let_go)
        for agent in self._roster.agents.values():
            self._failures.attempt(self._agents.changed, agent)
        self._failures.attempt(self.let_limits_act)
        self.read_statistics()
        self._failures.attempt(self._herald.beat)
        self._retention.call()
        self._failures.attempt(self._auditor.review, now)

    def let_limits_act(self) -> None:
        """What could be read is read: the limits act, unless a new ledger's history is missing."""
        if not self._budgets.begin_if_known(now_ms()):
            self._herald.alert_once("failed", "no limit acts until the history could be read")

    def read_statistics(self) -> None:
        """Read the clients' own statistics, of days whose logs are gone."""
        if not self._herald.importing:
            self._failures.attempt(self._stats_caches.read, self._followed.homes, now_ms())
