"""Workflows by their markers: they start and end, and so do their stages, and agents belong to them."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from tollkeeper.model import Span
from tollkeeper.naming import named, several
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar.agents_by_hand import Ambiguous
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.labels.labels import NONE, Labels, Layer, labels_of
from tollkeeper_daemon.labels.task_ids import of_task
from tollkeeper_daemon.store.errands import Ended
from tollkeeper_daemon.store.schema import SpanRecord, WorkflowRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.workflows.following import Following
from tollkeeper_daemon.workflows.marks import MARKED, Event, Mark, fits, is_marked, marked_id
from tollkeeper_daemon.workflows.members import Members
from tollkeeper_daemon.workflows.spans import Also, Spans, nothing
from tollkeeper_daemon.workflows.used import used_by
from tollkeeper_daemon.workflows.view import span_view

# A file with the events of months may come to be read: nobody is told of those of last week.
HISTORY_AFTER_MS = 24 * 3600 * 1000


class Workflows:
    """Takes the markers in, and tells all that starts and ends.

    ``on_labelled`` is called with an agent whose labels are others. What a marker says is saved before
    anything follows from it: who dies in the midst of it, and is told it again, does it once.
    """

    def __init__(
        self,
        store: Store,
        spans: Spans,
        following: Following,
        members: Members,
        roster: Roster,
        herald: Herald,
    ) -> None:
        self.on_labelled: Callable[[LiveAgent], None] = lambda agent: None
        self._store = store
        self._spans = spans
        self._following = following
        self._members = members
        self._roster = roster
        self._herald = herald
        spans.on_started.append(self._stage_started)
        spans.on_ended.append(self._stage_ended)

    def start(self, name: str, path: str, folder: str, now: int) -> WorkflowRecord:
        """The workflow starts, or goes on after its end; again, it may be told its path."""
        record = self._start(name, path, folder, now)
        self._following.look(now)
        return record

    def _start(self, name: str, path: str, folder: str, now: int) -> WorkflowRecord:
        known = self._known(name)
        if known is None:
            record = WorkflowRecord(name, self._first(name, now), path=path, folder=folder)
        else:
            kept = replace(known, path=path or known.path, folder=known.folder or folder)
            record = replace(kept, ended=0, status="")
        if record != known:
            self._save(record)
        if known and known.ended:
            self._following.begin_anew(name, now)
        if (known is None or known.ended) and not _is_history(now):
            self._herald.workflow("started", name)
        return record

    def end(self, name: str, status: str, now: int) -> WorkflowRecord:
        """The workflow ends, and every stage of it that lasts; who was marked as at it is so no more."""
        saved = self._known(name)
        known = saved or WorkflowRecord(name, self._first(name, now))
        record = replace(known, ended=known.ended or max(now, known.started), status=status)
        if record != saved:
            self._save_ended(record)
        # Again, too: who died in the midst of it has not done all.
        self._spans.end_workflow(name, record.ended)
        for agent in self._roster.alive():
            if _marked(agent, record.ended).workflow == name:
                self._belongs(agent, NONE, record.ended)
        if record != saved:
            self._herald.workflow("ended", name, status)
        return record

    def stage(
        self,
        event: Event,
        labels: Labels,
        now: int,
        word: str = "",
        pids: Sequence[int] = (),
        status: str = "",
        folder: str = "",
    ) -> SpanRecord:
        """A stage of a workflow, or of a task alone, starts or ends.

        ``word`` names who does it: an agent, or a subagent's type. Else it is the agent among the
        caller's ancestors (``pids``), else whoever is labelled with the workflow. Ambiguous when several
        agents have that name.
        """
        agents = self._named(word) if word else self._calling(pids)
        mark = mark_of(labels, word, agents, folder)
        members = agents or ([] if word else self.at(labels.workflow, now))
        span = self.take(mark, event, members, now, status)
        if event == "start":
            self._following.look(now)
        return span

    def take(
        self,
        mark: Mark,
        event: Event,
        members: Sequence[LiveAgent],
        at: int,
        status: str = "",
        also: Also = nothing,
    ) -> SpanRecord:
        """A marker's word on a stage, and who belongs to it from then on (ms).

        ``also`` is saved when all is done that must not be done twice: in a daemon that dies before, and
        is told the same again, it is done once.
        """
        labels = mark.labels
        self._tell_workflow(labels.workflow, event, mark.folder, at)
        if event == "end":
            self._release(mark, at)
            return self._spans.mark(mark, "end", at, status, also)
        span = self._spans.mark(mark, "start", at)
        for agent in members:
            self._belongs(agent, labels, at)
        self._store.write(also)
        return span

    def start_apart(
        self, labels: Labels, role: str, folder: str, now: int, id: str = ""
    ) -> SpanRecord:
        """A stage starts by somebody who does not run yet: a span of its own, whatever else is open.

        With an ``id`` it is the one that was started by it before, whether that lasts or not.
        """
        known = self._spans.with_id(labels.workflow, marked_id(id)) if id else None
        if known:
            return known
        own = marked_id(id) if id else MARKED
        self._tell_workflow(labels.workflow, "start", folder, now)
        return self._spans.begin_marked(Mark(labels, role, folder=folder), now, id=own)

    def end_apart(self, labels: Labels, id: str, status: str, now: int) -> SpanRecord | None:
        """The span with this id ends; None when there is none."""
        return self._spans.end_marked(labels.workflow, marked_id(id), now, status)

    def _tell_workflow(self, name: str, event: Event, folder: str, now: int) -> None:
        """A stage of it tells that the workflow has begun, or goes on after its end."""
        known = self._known(name)
        if name and (known is None or (event == "start" and 0 < known.ended <= now)):
            self._start(name, "", folder, now)

    def _release(self, mark: Mark, now: int) -> None:
        """Whoever was marked as at the stage goes on with the workflow alone.

        First, before its end is saved: else who dies in between would leave them at it.
        """
        span = self._spans.meant(mark)
        workflow = mark.labels.workflow
        for agent in self._roster.alive():
            is_meant = span is None or span.agent in ("", agent.record.id)
            if is_meant and fits(_marked(agent, now), mark.labels):
                self._belongs(agent, Labels(workflow), now)

    # Who is meant.

    def _named(self, word: str) -> list[LiveAgent]:
        """The agent of this name; none when the word is a subagent's type."""
        alive = {agent.record.id: agent for agent in self._roster.alive()}
        found = named(word, [agent.record for agent in alive.values()])
        if len(found) > 1:
            raise Ambiguous(several(word, found))
        return [alive[each.id] for each in found]

    def _calling(self, pids: Sequence[int]) -> list[LiveAgent]:
        """The agent under which the marker's command runs; the nearest, when they are nested."""
        found = [agent for pid in pids if (agent := self._roster.with_pid(pid))]
        return found[:1]

    def at(self, workflow: str, now: int) -> list[LiveAgent]:
        """All living agents that are labelled with the workflow."""
        alive = self._roster.alive()
        return [
            each for each in alive if workflow == self._members.labels_of(each, now).workflow != ""
        ]

    def _belongs(self, agent: LiveAgent, labels: Labels, now: int) -> None:
        if _marked(agent, now) != labels:
            self._roster.belongs_to(agent, Layer.MARKED, labels, now)
            self.on_labelled(agent)

    # What is saved and told.

    def _known(self, name: str) -> WorkflowRecord | None:
        return self._store.read(lambda transaction: transaction.work.workflow(name))

    def _save(self, record: WorkflowRecord) -> None:
        self._store.write(lambda transaction: transaction.work.save_workflow(record))

    def _save_ended(self, record: WorkflowRecord) -> None:
        def work(transaction: Transaction) -> None:
            transaction.work.save_workflow(record)
            transaction.errands.add_ended(Ended(record.id))

        self._store.write(work)

    def _first(self, name: str, now: int) -> int:
        """When the workflow was first worked at, or now."""
        return min((span.started for span in self._spans.of_workflow(name)), default=now)

    def view(self, span: SpanRecord) -> Span:
        """The span as the wire shows it."""
        return span_view(span, self._store.read(lambda transaction: used_by(span, transaction)))

    def _stage_started(self, span: SpanRecord) -> None:
        if not (is_marked(span) and _is_history(span.started)):
            self._herald.workflow("stage-started", span.workflow, span=self.view(span))

    def _stage_ended(self, span: SpanRecord) -> None:
        if not (is_marked(span) and _is_history(span.ended)):
            self._herald.workflow("stage-ended", span.workflow, span.status, self.view(span))


def _is_history(time: int) -> bool:
    """Whether something is too long ago (ms) for anybody to be told."""
    return now_ms() - time >= HISTORY_AFTER_MS


def mark_of(labels: Labels, word: str, agents: Sequence[LiveAgent], folder: str) -> Mark:
    """The marker's word: its role is an agent's name, or else the word itself."""
    if not agents:
        return Mark(labels, word, folder=folder)
    [record] = [agent.record for agent in agents]
    return Mark(
        labels,
        role=record.name,
        agent=record.id,
        conversation=record.conversation,
        folder=folder or record.cwd,
        is_implied=not word,
    )


def with_structure(labels: Labels) -> Labels:
    """The labels, with what the task's id tells of those that were left open."""
    return labels.over(of_task(labels.task))


def _marked(agent: LiveAgent, now: int) -> Labels:
    return labels_of(agent.record.told, Layer.MARKED, now)
