"""Who runs: agents with their names, states and conversations. Pure: it is told, it never looks."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tollkeeper.model import AgentState
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.turns import (
    FOR_EVER,
    Claim,
    Labelled,
    Turned,
    labelled_at,
    labelled_so_far,
    stays,
)
from tollkeeper_daemon.labels.labels import Fact, Labels, Layer, with_last
from tollkeeper_daemon.labels.task_ids import of_task
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION
from tollkeeper_daemon.rules.brought import LABEL, budget_of, complaint
from tollkeeper_daemon.sources.paying import account_at
from tollkeeper_daemon.sources.processes import Process
from tollkeeper_daemon.sources.sessions import Session
from tollkeeper_daemon.store.schema import AgentRecord, RunRecord

RUN_ENDS_AFTER_MS = 30 * 60 * 1000
EXITED_SHOWN_MS = 30 * 60 * 1000
# A conversation that an agent turns to is its own from a little before that was noticed.
NOTICED_WITHIN_MS = 5_000
# An agent's last lines may bear a time a little after its process was seen to be gone.
LATE_LINES_MS = 60_000
TURNS_KEPT = 50
STATES: dict[str, AgentState] = {"busy": "working", "idle": "idle", "waiting": "waiting"}


class Roster:
    """The agents that run, and those that exited lately."""

    def __init__(self) -> None:
        self.agents: dict[str, LiveAgent] = {}
        self.run: RunRecord | None = None
        self.run_agents: set[str] = set()
        # Those that an earlier daemon left in homes that are not looked at now.
        self.out_of_sight: set[str] = set()
        # What the pipeline is to save of who pays; of turns that an earlier daemon saw it may have.
        self.turned: list[Turned] = []
        # And what it is to save of the work that conversations belong to.
        self.labelled: list[Labelled] = []
        self._ended_run: RunRecord | None = None
        self._claims: dict[str, list[Claim]] = {}

    def restore(
        self,
        records: list[AgentRecord],
        runs: list[RunRecord],
        now: int,
        in_sight: Callable[[str], bool] = lambda home: True,
    ) -> None:
        """Take up what an earlier daemon knew; whether those agents still live is told later.

        Those in homes that are not ``in_sight`` are left as they are.
        """
        self.run = runs[-1] if runs and not runs[-1].ended else None
        unseen_since = self.run.last_lived if self.run else now
        for record in records:
            if self.run and record.run == self.run.id:
                self.run_agents.add(record.id)
            if not record.ended and record.home and not in_sight(record.home):
                self.out_of_sight.add(record.id)
            elif not record.ended or now - record.ended < EXITED_SHOWN_MS:
                agent = LiveAgent(record, last_time=record.started, unseen_since=unseen_since)
                self.agents[record.id] = agent
                for conversation, since in record.turns:
                    self._claim(record, conversation, since)
                    self.turned.append(Turned(agent, conversation, since, is_old=True))
                self.labelled += labelled_so_far(agent)

    def alive(self) -> list[LiveAgent]:
        """The agents that have not exited."""
        return [agent for agent in self.agents.values() if not agent.record.ended]

    def with_pid(self, pid: int) -> LiveAgent | None:
        """The living agent with this pid."""
        return next((agent for agent in self.alive() if agent.record.pid == pid), None)

    def appear(
        self, process: Process, session: Session | None, subscribed: bool, now: int
    ) -> LiveAgent:
        """A client is seen running: a new agent, or a known one looked at again."""
        known = self.agents.get(process.id)
        if known:
            self._revive(known)
            if session:
                self.hear(known, session, now)
            return known
        self._begin_run(now)
        record = self._new_record(process, session, subscribed)
        agent = LiveAgent(
            record,
            last_time=process.started,
            asked_name=_own_name(session),
            complaint=complaint(record.name, process.labels.get(LABEL)),
        )
        self.agents[process.id] = agent
        self.run_agents.add(process.id)
        if record.conversation:
            # The client's own note is exact, the system's start may be a second off.
            noted = (session and session.startedAt) or process.started
            self._turn(agent, record.conversation, process.started, max(noted, process.started))
        if session:
            self._take_status(agent, session, now)
        return agent

    def _revive(self, agent: LiveAgent) -> None:
        """An agent that was taken for exited lives after all: it goes on as the same."""
        if agent.record.ended:
            agent.record = replace(agent.record, ended=0)
            for conversation, since in agent.record.turns:
                self._claim(agent.record, conversation, since)

    def _new_record(
        self, process: Process, session: Session | None, subscribed: bool
    ) -> AgentRecord:
        labels = process.labels
        brought = brought_by(labels)
        is_subscribed = subscribed or process.has_token
        cwd = (session and session.cwd) or process.cwd
        return AgentRecord(
            id=process.id,
            pid=process.pid,
            name=self._free_name(labels.get("TOLL_AGENT") or _own_name(session), cwd),
            started=process.started,
            run=self.run.id if self.run else "",
            cwd=cwd,
            conversation=(session and session.sessionId) or process.conversation,
            source=API if process.keys else SUBSCRIPTION if is_subscribed else "",
            account=account_at(process.server) if process.keys else "",
            workflow=brought.workflow,
            task=brought.task,
            stage=brought.stage,
            budget=budget_of(labels.get(LABEL)),
            named_by_label="TOLL_AGENT" in labels,
            by_home=not process.keys,
            by_token=process.has_token,
            server=process.server,
            one_payer=True,
            keys=process.keys,
            told=(Fact(0, Layer.ENVIRONMENT, labels=brought),) if brought else (),
        )

    def hear(self, agent: LiveAgent, session: Session, now: int) -> bool:
        """The agent's session file was rewritten; whether anything in it is news."""
        before = (agent.record, agent.status, agent.waiting_for)
        if session.sessionId and session.sessionId != agent.record.conversation:
            first = not agent.record.conversation
            noticed = agent.unseen_since or now - NOTICED_WITHIN_MS
            self._turn(agent, session.sessionId, agent.record.started if first else noticed)
        agent.unseen_since = 0
        name = _own_name(session)
        if name and name != agent.asked_name and not agent.record.named_by_label:
            agent.asked_name = name
            free = self._free_name(name, agent.record.cwd, agent)
            agent.record = replace(agent.record, name=free)
        self._take_status(agent, session, now)
        return before != (agent.record, agent.status, agent.waiting_for)

    def _take_status(self, agent: LiveAgent, session: Session, now: int) -> None:
        status = STATES.get(session.status or "", "idle")
        if session.statusUpdatedAt:
            agent.status_since = min(max(session.statusUpdatedAt, agent.record.started), now)
        elif status != agent.status:
            # At the first sight of it nobody knows how long it has been so.
            agent.status_since = now if agent.status else 0
        agent.status = status
        agent.waiting_for = (session.waitingFor or "") if agent.status == "waiting" else ""

    def call(self, agent: LiveAgent, name: str) -> bool:
        """An orchestrator's file names the agent; whether that is news.

        What it was started with, and its session's own name, go before that.
        """
        if not name or agent.record.named_by_label or agent.asked_name or agent.given_name == name:
            return False
        agent.given_name = name
        free = self._free_name(name, agent.record.cwd, agent)
        before, agent.record = agent.record, replace(agent.record, name=free)
        return before != agent.record

    def lives_in(self, agent: LiveAgent, home: str) -> bool:
        """The agent was found in this Claude home; whether that is news."""
        before, agent.record = agent.record, replace(agent.record, home=home)
        return before != agent.record

    def converses(self, agent: LiveAgent, conversation: str) -> None:
        """An agent that writes no session file was found to hold this conversation."""
        self._turn(agent, conversation, agent.record.started)

    def exit(self, agent: LiveAgent, now: int) -> None:
        """The agent's process is gone."""
        agent.record = replace(agent.record, ended=now)
        agent.waiting_for = ""
        for conversation, claims in self._claims.items():
            self._claims[conversation] = [
                replace(claim, until=min(claim.until, now + LATE_LINES_MS))
                if claim.agent == agent.record.id
                else claim
                for claim in claims
            ]

    def agent_of(self, conversation: str, time: int) -> LiveAgent | None:
        """Whose request this is: the latest agent that held the conversation at that time."""
        for claim in reversed(self._claims.get(conversation, ())):
            if claim.since <= time <= claim.until:
                return self.agents.get(claim.agent)
        return None

    def is_held(self, conversation: str) -> bool:
        """Whether any agent holds, or lately held, the conversation."""
        return conversation in self._claims

    def tick(self, now: int) -> tuple[list[LiveAgent], RunRecord | None]:
        """Let go of what is over: the agents that leave the list, and the run that ended."""
        gone = [
            agent
            for agent in self.agents.values()
            if agent.record.ended and now - agent.record.ended > EXITED_SHOWN_MS
        ]
        for agent in gone:
            del self.agents[agent.record.id]
        if gone:
            names = {agent.record.id for agent in gone}
            self._claims = {
                conversation: kept
                for conversation, claims in self._claims.items()
                if (kept := [claim for claim in claims if claim.agent not in names])
            }
        if self.run and self.alive():
            self.run = replace(self.run, last_lived=now)
        elif self.run and self._is_over(self.run, now):
            self._end_run(self.run)
        ended, self._ended_run = self._ended_run, None
        return gone, ended

    def _is_over(self, run: RunRecord, now: int) -> bool:
        return not self.alive() and now - run.last_lived >= RUN_ENDS_AFTER_MS

    def _end_run(self, run: RunRecord) -> None:
        self._ended_run, self.run = replace(run, ended=run.last_lived), None

    def _begin_run(self, now: int) -> None:
        if self.run and self._is_over(self.run, now):
            self._end_run(self.run)
        if self.run is None:
            self.run = RunRecord(f"run-{now // 1000}", started=now, last_lived=now)
            self.run_agents.clear()

    def _turn(self, agent: LiveAgent, conversation: str, since: int, paying: int = 0) -> None:
        """The agent turns to this conversation, and is remembered to have done so.

        It is ``paying`` from then on (ms), which is ``since`` unless it is said.
        """
        turns = (*agent.record.turns, (conversation, since))[-TURNS_KEPT:]
        agent.record = replace(agent.record, conversation=conversation, turns=turns)
        self._claim(agent.record, conversation, since)
        self.turned.append(Turned(agent, conversation, paying or since))
        self.labelled += labelled_at(agent, conversation, since)

    def belongs_to(
        self, agent: LiveAgent, layer: Layer, labels: Labels, since: int, subagent: str = ""
    ) -> None:
        """A layer says this of what the agent, or one of its subagents alone, asks from a time (ms) on.

        What the layer said of a later time is taken back: the latest word holds.
        """
        fact = Fact(since, layer, subagent, labels)
        agent.record = replace(agent.record, told=with_last(agent.record.told, fact))
        for conversation, begun, until in stays(agent):
            if since < until:
                own = replace(fact, since=max(since, begun))
                self.labelled.append(Labelled(agent, conversation, own, until))

    def begins_paid_by(self, agent: LiveAgent, source: str, account: str) -> None:
        """A new agent is paid by this one, in all that it turned to so far."""
        agent.record = replace(agent.record, source=source, account=account)

    def was_paid_by(self, agent: LiveAgent, source: str, account: str) -> None:
        """Somebody is found to have paid for all that the agent asked since its start."""
        agent.record = replace(agent.record, source=source, account=account)
        for conversation, since in agent.record.turns:
            self.turned.append(Turned(agent, conversation, since, is_proof=True))

    def is_paid_by(self, agent: LiveAgent, source: str, account: str, now: int) -> bool:
        """Somebody is seen to pay for what the agent asks from now on; whether that is news."""
        if (agent.record.source, agent.record.account) == (source, account):
            return False
        agent.record = replace(
            agent.record, source=source, account=account, one_payer=False, changed_hands=now
        )
        if agent.record.conversation:
            self.turned.append(Turned(agent, agent.record.conversation, now))
        return True

    def _claim(self, record: AgentRecord, conversation: str, since: int) -> None:
        until = record.ended + LATE_LINES_MS if record.ended else FOR_EVER
        self._claims.setdefault(conversation, []).append(Claim(record.id, since, until))

    def _free_name(self, wanted: str, cwd: str, own: LiveAgent | None = None) -> str:
        """The wanted name if no other living agent bears it, else with a number behind it.

        Without a wanted name it is the project's, with a number.
        """
        taken = {agent.record.name for agent in self.alive() if agent is not own}
        if wanted and wanted not in taken:
            return wanted
        stem = wanted or cwd.rstrip("/").rpartition("/")[2] or "agent"
        number = 2 if wanted else 1
        while f"{stem}-{number}" in taken:
            number += 1
        return f"{stem}-{number}"


def brought_by(environment: Mapping[str, str]) -> Labels:
    """The labels that an agent brings along."""
    task = environment.get("TOLL_TASK", "")
    said = Labels(environment.get("TOLL_WORKFLOW", ""), task, environment.get("TOLL_STAGE", ""))
    return said.over(of_task(task))


def _own_name(session: Session | None) -> str:
    """The name that a person gave; one derived by the client may hold words of the prompt."""
    if session and session.name and session.nameSource == "user":
        return session.name
    return ""
