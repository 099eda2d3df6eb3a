"""Takes in what an orchestrator's files say of agents: their names, and the tasks that they claim."""

import os
from collections.abc import Callable

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.labels.claims import CLAIM, ClaimLine, claimed, staged
from tollkeeper_daemon.labels.labels import Fact, Layer
from tollkeeper_daemon.labels.task_ids import TaskIds
from tollkeeper_daemon.sources.kept import Kept
from tollkeeper_daemon.sources.orchestra import Note, claims_in, note_in, read_claims, read_note
from tollkeeper_daemon.sources.projects import Around, folders_of

# Of what an agent claimed since the last look the latest holds; who claims more has no time to work.
MOST_AT_ONCE = 100


class Claims:
    """Looks with each pulse, by a stat, at the files of all living agents.

    ``facts_of`` are what is known of an agent's work, ``ids`` finds task ids in names of files, and
    ``stage_of`` says at which stage a task of the agent is, as far as anybody knows. ``on_changed`` is
    called with an agent of which there is news.
    """

    def __init__(
        self,
        roster: Roster,
        facts_of: Callable[[LiveAgent], tuple[Fact, ...]],
        ids: Callable[[], TaskIds],
        stage_of: Callable[[str, LiveAgent], str],
    ) -> None:
        self.on_changed: Callable[[LiveAgent], None] = lambda agent: None
        self._roster = roster
        self._facts_of = facts_of
        self._ids = ids
        self._stage_of = stage_of
        self._notes: Kept[Note] = Kept(lambda path: (read_note(path), 0))
        self._claims = Kept(read_claims)
        self._folders = Around(folders_of)
        # The tasks that notes gave, by agent.
        self._given: dict[str, str] = {}

    @property
    def bad_files(self) -> set[str]:
        """The files that could not be read, or hold lines that could not be."""
        return self._notes.bad | self._claims.bad

    def look(self, now: int) -> None:
        """Take in what is new."""
        alive = self._roster.alive()
        living = {agent.record.id for agent in alive}
        self._given = {agent: task for agent, task in self._given.items() if agent in living}
        for agent in alive:
            is_named = self._take_note(agent, now)
            is_staged = self._tell(agent, staged(self._facts_of(agent), now, self._stage(agent)))
            if is_named or is_staged:
                self.on_changed(agent)

    def _stage(self, agent: LiveAgent) -> Callable[[str], str]:
        return lambda task: self._stage_of(task, agent)

    def _take_note(self, agent: LiveAgent, now: int) -> bool:
        """Take in what the note on the agent says, and what it claims; whether any of it is news."""
        found = self._note_on(agent, now)
        if found is None:
            return False
        note, written = found
        is_named = self._roster.call(agent, note.name)
        facts = self._claimed(agent, note, written)
        for fact in facts:
            self._tell(agent, fact)
        return is_named or bool(facts)

    def _tell(self, agent: LiveAgent, fact: Fact | None) -> bool:
        if fact is None:
            return False
        self._roster.belongs_to(agent, Layer.CLAIMED, fact.labels, fact.since)
        return True

    def _note_on(self, agent: LiveAgent, now: int) -> tuple[Note, int] | None:
        """The note that names one of the agent's conversations, and when it was written (ms)."""
        record = agent.record
        own = {record.conversation, *(conversation for conversation, _ in record.turns)} - {""}
        for path in map(note_in, self._folders.of(record.cwd, now)):
            note = self._notes.get(path)
            if note and note.sessionId in own:
                return note, self._notes.modified(path)
        return None

    def _claimed(self, agent: LiveAgent, note: Note, written: int) -> list[Fact]:
        """What is new in the tasks of the agent: those that it claims, else that of its file."""
        record = agent.record
        given = self._ids().find(os.path.basename(note.taskFile or "").rpartition(".")[0])
        before = self._given.setdefault(record.id, given)
        self._given[record.id] = given
        lines: list[ClaimLine] = []
        if note.repoPath and os.path.isabs(note.repoPath):
            known = self._claims.get(claims_in(note.repoPath)) or []
            lines = [line for line in known if line.agent in note.names]
        if given and given != before:
            lines.append(ClaimLine(CLAIM, given, note.name, written))
        return claimed(record.told, lines, given, record.started)[-MOST_AT_ONCE:]
