"""Posts what was read: books it, judges it, tells it."""

from tollkeeper_daemon.agents.census import Census
from tollkeeper_daemon.agents.registry import Registry
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.audit.auditor import Auditor
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.days import Days
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.agents import Agents
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.refusals import Refusals
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.reading.marks import Marks
from tollkeeper_daemon.reading.scan import Scan, place_of
from tollkeeper_daemon.workflows.work import Work

# More conversations than an agent without a session file goes through between two readings.
MOST_CLAIMED_AT_ONCE = 20


class Posting:
    """The way of a scan from the reader to everybody who is concerned."""

    def __init__(
        self,
        days: Days,
        pipeline: Pipeline,
        marks: Marks,
        budgets: Budgets,
        work: Work,
        herald: Herald,
        auditor: Auditor,
        registry: Registry,
        roster: Roster,
        census: Census,
        agents: Agents,
        failures: Failures,
        refusals: Refusals,
    ) -> None:
        self._days = days
        self._pipeline = pipeline
        self._marks = marks
        self._budgets = budgets
        self._work = work
        self._herald = herald
        self._auditor = auditor
        self._registry = registry
        self._roster = roster
        self._census = census
        self._agents = agents
        self._failures = failures
        self._refusals = refusals

    def post(self, scans: list[Scan], now: int) -> None:
        """Post what has just been written."""
        outcome = self._book(scans, now, live=True)
        self._failures.attempt(self._budgets.bar.charged, outcome, now)
        self._herald.tell(outcome, now)
        self._failures.attempt(self._work.charged, outcome, now)
        self._auditor.heard(scans, now)
        for agent in outcome.agents:
            self._registry.save_agent(agent.record)
        for scan in scans:
            self._find_holders(scan, now)

    def post_past(self, scans: list[Scan], now: int) -> None:
        """Post what an import has read: it counts, and is no news."""
        self._book(scans, now, live=False)

    def _book(self, scans: list[Scan], now: int, live: bool) -> Outcome:
        self._days.check(now)
        outcome = self._pipeline.post(scans, now, live)
        self._failures.are_over()
        self._marks.advance(scans)
        for scan in scans:
            for refusal in scan.refusals:
                self._refusals.logged(refusal, scan.path, now)
        return outcome

    def _find_holders(self, scan: Scan, now: int) -> None:
        """Give what older clients wrote to the agent that must have written it."""
        own, _ = place_of(scan.path)
        names = {each.conversation for each in (*scan.replies, *scan.prompts)}
        unheld = [name for name in names if not self._roster.is_held(name)]
        for name in sorted(unheld, key=lambda name: name != own)[:MOST_CLAIMED_AT_ONCE]:
            if self._census.guess_holder(scan.path, name):
                self._agents.claim(name, now)
