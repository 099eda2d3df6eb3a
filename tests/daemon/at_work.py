"""Agents at work on a made-up machine, and the spans of it; the test says what time it is."""

from collections.abc import Callable

from msgspec.structs import replace

from tollkeeper.model import Hold
from tollkeeper_daemon.agents.live import LiveAgent, LiveSubagent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.labels.labels import Labels, Layer
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.following import Following
from tollkeeper_daemon.workflows.marks import EndStatus, Event, Mark
from tollkeeper_daemon.workflows.members import Members
from tollkeeper_daemon.workflows.spans import Spans

from .lines import NINE_MS
from .machine import process, session

SECOND = 1_000
MINUTE = 60 * SECOND
ANALYZE = Labels("w-1", "", "analyze")
PLAN = Labels("w-1", "", "plan")
STAGES = {"analyst": "analyze", "planner": "plan"}

Told = tuple[str, str, str]
"""What was told of a span: ``started`` or ``ended``, its id, and its status."""


def call(work: Callable[..., object], *of: object) -> None:
    """Call who listens."""
    work(*of)


class AtWork:
    """A daemon's spans, with the agents that the test lets come and go.

    ``after`` is the daemon that was there before: it was killed, and what only it knew is lost.
    """

    def __init__(self, store: Store, after: "AtWork | None" = None) -> None:
        self.store = store
        self.roster = after.roster if after else Roster()
        self.holds: dict[str, Hold] = {}
        self.limited: set[str] = set()
        self.told: list[Told] = []
        self.now = after.now if after else NINE_MS
        self.spans = Spans(store, call)
        self.members = Members(
            self.roster,
            lambda agent: agent.record.told,
            lambda kind: STAGES.get(kind, ""),
            lambda agent: self.holds.get(agent.record.id),
            lambda agent, now: agent.record.id in self.limited,
        )
        self.following = Following(store, self.spans, self.members)
        self.spans.on_started.append(lambda span: self.told.append(("started", span.id, "")))
        self.spans.on_ended.append(lambda span: self.told.append(("ended", span.id, span.status)))
        self.spans.restore()

    def killed(self) -> "AtWork":
        """The daemon is killed; the next one knows of subagents that are done only that they were there."""
        for agent in self.roster.agents.values():
            for helper in agent.subagents.values():
                if helper.finished:
                    helper.last_time, helper.finished = 0, False
        return AtWork(self.store, self).begin()

    def begin(self) -> "AtWork":
        """Who lives is known."""
        self.following.begin(self.now)
        return self

    def agent(self, pid: int = 100, **labels: str) -> LiveAgent:
        """An agent starts, at work."""
        brought = {f"TOLL_{name}": value for name, value in labels.items()}
        seen = replace(process(pid, started=self.now), labels=brought)
        agent = self.roster.appear(seen, session(pid, f"conv-{pid}"), False, self.now)
        self.look()
        return agent

    def helper(self, agent: LiveAgent, kind: str = "analyst", name: str = "h1") -> LiveSubagent:
        """A subagent of it starts, or is heard of again."""
        helper = agent.subagents.setdefault(name, LiveSubagent(name, kind))
        helper.finished, helper.last_time = False, self.now
        self.look()
        return helper

    def done(self, helper: LiveSubagent) -> None:
        """The subagent says that it is done."""
        helper.finished, helper.last_time = True, self.now
        self.look()

    def exits(self, agent: LiveAgent) -> None:
        """The agent's process ends."""
        self.roster.exit(agent, self.now)
        self.look()

    def says(self, agent: LiveAgent, labels: Labels, ago: int = 0) -> None:
        """A person says what the agent works at, or has worked at for so long (ms)."""
        self.roster.belongs_to(agent, Layer.SAID, labels, self.now - ago)
        self.look()

    def holds_at_limit(self, agent: LiveAgent, kind: str = "blocked") -> None:
        """The agent is held in this way."""
        self.holds[agent.record.id] = Hold(kind=kind, since="", reason="")  # pyright: ignore[reportArgumentType]: a test's own word
        self.look()

    def mark(
        self,
        event: Event,
        labels: Labels = ANALYZE,
        role: str = "",
        status: EndStatus | None = None,
    ) -> SpanRecord:
        """A marker says that a stage starts or ends."""
        span = self.spans.mark(Mark(labels, role), event, self.now, status or "")
        self.look()
        return span

    def look(self) -> None:
        """The daemon looks."""
        self.following.look(self.now)

    def passes(self, time: int) -> None:
        """So much time goes by (ms), with a look every two seconds."""
        until = self.now + time
        while self.now < until:
            self.now = min(self.now + 2 * SECOND, until)
            self.look()

    def saved(self, workflow: str = "w-1") -> tuple[SpanRecord, ...]:
        """The workflow's spans as the store has them."""
        return self.store.read(lambda transaction: transaction.work.spans_of(workflow))

    def ids(self, workflow: str = "w-1") -> list[str]:
        return [span.id for span in self.saved(workflow)]
