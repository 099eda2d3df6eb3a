"""Who may be at work at a stage: the living agents and their subagents, with their labels now."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from tollkeeper.model import Hold
from tollkeeper_daemon.agents.live import LiveAgent, LiveSubagent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.labels.labels import Fact, Labels, labels_at
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.workflows.timing import Doing, doing_of

# As long as a tool of Claude Code may run: a subagent is silent meanwhile.
AT_WORK_MS = 10 * 60_000

Who = tuple[str, str]
"""An agent's id, and that of a subagent of it or nothing."""


class Member(Struct, frozen=True):
    """An agent, or a subagent of one: its labels now, and how its time goes by.

    ``began`` (ms) is when it came, and ``heard`` when it was last heard of, as far as is known. ``facts``
    tell its labels, and ``stage`` is what a subagent's type stands for.
    """

    agent: str
    subagent: str
    role: str
    conversation: str
    folder: str
    began: int
    heard: int
    facts: tuple[Fact, ...]
    stage: str
    labels: Labels
    doing: Doing | None

    @property
    def span_id(self) -> str:
        """What the id of a span of its own begins with."""
        return f"s:{self.conversation}:{self.subagent}" if self.subagent else f"a:{self.agent}"

    @property
    def has_stage(self) -> bool:
        """Whether it is at a stage of a workflow or a task."""
        return bool(self.labels.stage and (self.labels.workflow or self.labels.task))

    def since(self, now: int) -> int:
        """Since when (ms) its labels are what they are now; they change only with a fact."""
        since = now
        for time in sorted({0, *(fact.since for fact in self.facts)}, reverse=True):
            if time <= now:
                if self._labels_at(time) != self.labels:
                    break
                since = time
        return max(since, self.began)

    def _labels_at(self, time: int) -> Labels:
        kind = self.role if self.subagent else ""
        return labels_at(self.facts, time, self.subagent, self.stage, kind)


class Gone(Struct, frozen=True):
    """Whoever did the work of a span does it no more: since when, and when it was last heard of (ms).

    ``is_stopped`` says that its agent was told to end.
    """

    at: int
    heard: int
    is_stopped: bool


class Members:
    """Looks at the roster.

    ``facts_of`` are what is known of an agent's work, ``stage_of`` says which stage a subagent's type stands
    for, ``hold_of`` how an agent is held, and ``is_limited`` whether its plan refuses requests at a time (ms).
    """

    def __init__(
        self,
        roster: Roster,
        facts_of: Callable[[LiveAgent], tuple[Fact, ...]],
        stage_of: Callable[[str], str],
        hold_of: Callable[[LiveAgent], Hold | None],
        is_limited: Callable[[LiveAgent, int], bool],
    ) -> None:
        self._roster = roster
        self._facts_of = facts_of
        self._stage_of = stage_of
        self._hold_of = hold_of
        self._is_limited = is_limited
        self._stopped: set[str] = set()

    def all(self, now: int) -> list[Member]:
        """The living agents, and those of their subagents that are at work."""
        return [member for agent in self._roster.alive() for member in self._family(agent, now)]

    def labels_of(self, agent: LiveAgent, now: int) -> Labels:
        """The labels of what the agent itself asks at this time (ms)."""
        return labels_at(self._facts_of(agent), now)

    def _family(self, agent: LiveAgent, now: int) -> Iterator[Member]:
        yield self._as_agent(agent, now)
        for helper in agent.subagents.values():
            if not helper.finished and now - helper.last_time <= AT_WORK_MS:
                yield self._as_subagent(agent, helper, now)

    def of_span(self, span: SpanRecord, now: int) -> Member | Gone | None:
        """Who does the work of a span of an agent or a subagent; None for one that is out of sight."""
        agent = self._roster.agents.get(span.agent)
        if agent is None:
            is_left = span.agent in self._roster.out_of_sight
            return None if is_left else Gone(now, 0, False)
        helper = agent.subagents.get(span.subagent) if span.subagent else None
        heard = helper.last_time if helper else 0 if span.subagent else agent.last_time
        is_stopped = self._is_stopped(agent)
        if agent.record.ended:
            return Gone(agent.record.ended, heard, is_stopped)
        if not span.subagent:
            return self._as_agent(agent, now)
        if helper and helper.finished:
            return Gone(now, heard, False)
        return self._as_subagent(agent, helper or LiveSubagent(span.subagent, span.role), now)

    def _as_agent(self, agent: LiveAgent, now: int) -> Member:
        record = agent.record
        return self._member(agent, now, "", record.name, record.started, agent.last_time)

    def _as_subagent(self, agent: LiveAgent, helper: LiveSubagent, now: int) -> Member:
        stage = self._stage_of(helper.type) if helper.type else ""
        began = min(helper.last_time or now, now)
        return self._member(agent, now, helper.id, helper.type, began, helper.last_time, stage)

    def _member(
        self,
        agent: LiveAgent,
        now: int,
        subagent: str,
        role: str,
        began: int,
        heard: int,
        stage: str = "",
    ) -> Member:
        record, facts = agent.record, self._facts_of(agent)
        is_held = self._hold_of(agent) is not None and not self._is_stopped(agent)
        return Member(
            agent=record.id,
            subagent=subagent,
            role=role,
            conversation=record.conversation,
            folder=record.cwd,
            began=began,
            heard=heard,
            facts=facts,
            stage=stage,
            labels=labels_at(facts, now, subagent, stage, role if subagent else ""),
            doing=doing_of(agent.state(now), is_held, self._is_limited(agent, now)),
        )

    def _is_stopped(self, agent: LiveAgent) -> bool:
        """Whether the agent was told to end, which is forgotten elsewhere once it has."""
        hold = self._hold_of(agent)
        if hold is not None and hold.kind == "stopping":
            self._stopped.add(agent.record.id)
        return agent.record.id in self._stopped
