"""Refused requests, as logs and hooks tell of them: each is told once, and the log has the last word."""

from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.whose import Whose
from tollkeeper_daemon.plan.gauge import PlanGauge
from tollkeeper_daemon.records import Refusal
from tollkeeper_daemon.transcript.letters import HookReport

# The client writes the line of a refusal a moment before or after its hook reports it.
AWAITED_MS = 2_000
# So far apart they are of one refusal, the line with the earlier time.
APART_MS = 10_000
MOST_REMEMBERED = 500


class Refusals:
    """Joins the two by conversation. Hooks know neither the window nor whether a plan is the cause."""

    def __init__(self, plan: PlanGauge, whose: Whose, herald: Herald) -> None:
        self._plan = plan
        self._whose = whose
        self._herald = herald
        self._logged: dict[str, int] = {}
        self._waiting: dict[str, tuple[HookReport, int]] = {}

    def logged(self, refusal: Refusal, log: str, now: int) -> None:
        """A line of this log tells of a refusal."""
        conversation = refusal.conversation
        if len(self._logged) >= MOST_REMEMBERED:
            self._logged.clear()
        self._logged[conversation] = refusal.time
        self._waiting.pop(conversation, None)
        owner = self._whose.of(conversation, log, refusal.time)
        if refusal.window:
            news = self._plan.refused(refusal.window, refusal.resets_at, now, owner)
        else:
            news = self._plan.not_refused(conversation, owner)
        self._herald.plan_changed(news)

    def reported(self, report: HookReport, now: int) -> None:
        """A hook reports that a subscription's agent was refused; the log is awaited for a moment."""
        is_late = now - report.time > APART_MS
        is_logged = report.time - self._logged.get(report.conversation, 0) <= APART_MS
        if not is_late and not is_logged:
            self._waiting.setdefault(report.conversation, (report, now))

    def look(self, now: int) -> None:
        """Believe the hooks whose logs said nothing."""
        for conversation, (report, since) in list(self._waiting.items()):
            if now - since >= AWAITED_MS:
                del self._waiting[conversation]
                owner = self._whose.of(conversation, report.log, report.time)
                self._herald.plan_changed(self._plan.reported(conversation, now, owner))
