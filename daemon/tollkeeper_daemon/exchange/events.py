"""Reads the events that others append to workflow-metrics.jsonl, and takes each as a marker, once."""

import logging
import time
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper.naming import named
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.exchange.metrics import StageEvent, are_known, dated, find_events
from tollkeeper_daemon.exchange.metrics_file import path_in
from tollkeeper_daemon.records import FileMark
from tollkeeper_daemon.sources.files import Seen, printable, seen_at
from tollkeeper_daemon.sources.projects import Around, folders_of, project_in
from tollkeeper_daemon.sources.tail import Reading, read_on
from tollkeeper_daemon.store.errands import EventsFile
from tollkeeper_daemon.store.store import Store, is_out_of_room
from tollkeeper_daemon.workflows.marks import Mark
from tollkeeper_daemon.workflows.spans import Also, Spans
from tollkeeper_daemon.workflows.workflows import Workflows, mark_of

log = logging.getLogger(__name__)

# Who appends more between two looks than can be taken in this time has to wait.
MOST_SECONDS = 0.25
# What is longer is no event.
LONGEST_LINE = 1 << 20
NS_PER_MS = 1_000_000
# Times of events may be cut to the second.
SECOND_MS = 1_000


class Step(Struct, frozen=True):
    """An event, when it was (ms), and how far the file is read when it is done.

    ``is_known`` says that it was there before the file was replaced.
    """

    event: StageEvent
    at: int
    is_known: bool
    after: EventsFile


class Readers(Struct, frozen=True):
    """Whose events a file's are: a project's folder, and the agents that work in it."""

    folder: str
    agents: list[LiveAgent]


class Events:
    """Looks with each pulse, by a stat, at the files of projects in which agents work.

    ``stage_of`` says which stage a subagent's type stands for. ``unreadable`` says which files can't be
    read, and why.
    """

    def __init__(
        self,
        store: Store,
        spans: Spans,
        workflows: Workflows,
        roster: Roster,
        stage_of: Callable[[str], str],
    ) -> None:
        self.unreadable: dict[str, str] = {}
        self._store = store
        self._spans = spans
        self._workflows = workflows
        self._roster = roster
        self._stage_of = stage_of
        self._seen: dict[str, Seen] = {}
        self._projects = Around(_projects_of)

    def look(self, now: int) -> None:
        """Take in what was appended since the last look."""
        for path, readers in self._files(now).items():
            seen = seen_at(path)
            if seen is None:
                self.unreadable.pop(path, None)
            if seen is None or seen == self._seen.get(path):
                continue
            try:
                is_read = self._read_on(path, readers, seen, now)
            except OSError as error:
                self.unreadable[path] = error.strerror or str(error)
                is_read = True
            else:
                self.unreadable.pop(path, None)
            if is_read:
                self._seen[path] = seen

    def bad_lines(self) -> dict[str, int]:
        """How many lines of which file could not be read."""
        files = self._store.read(lambda transaction: transaction.errands.events_files())
        return {file.mark.path: file.bad for file in files if file.bad}

    def _files(self, now: int) -> dict[str, Readers]:
        """The files of all projects where anybody works, or did a moment ago, and for whom they are."""
        found: dict[str, Readers] = {}
        for agent in self._roster.agents.values():
            for folder in self._projects.of(agent.record.cwd, now):
                found.setdefault(path_in(folder), Readers(folder, [])).agents.append(agent)
        for span in self._spans.open_spans():
            for folder in self._projects.of(span.folder, now):
                found.setdefault(path_in(folder), Readers(folder, []))
        return found

    def _read_on(self, path: str, readers: Readers, seen: Seen, now: int) -> bool:
        """Take in the next events of the file; whether it is read to its end."""
        known = self._store.read(lambda transaction: transaction.errands.events_file(path))
        reading = read_on(path, known.mark if known else None, LONGEST_LINE)
        if reading is None:
            return True
        begun = _begun(known, reading, path)
        steps, end = self._steps(begun, reading, seen[3] // NS_PER_MS, now)
        stopped = self._take_some(steps[begun.done :], path, readers)
        last = stopped or end
        self._store.write(lambda transaction: transaction.errands.save_events_file(path, last))
        return stopped is None and not reading.more

    def _steps(
        self, begun: EventsFile, reading: Reading, written: int, now: int
    ) -> tuple[list[Step], EventsFile]:
        """What the block says, step by step, and how far the file is read behind it."""
        found = find_events(reading.block[: reading.block.rfind(b"\n") + 1], self._stage_of)
        after = begun
        steps: list[Step] = []
        times = dated(found.events, written, now)
        are_old = are_known(found.events, begun.known_until)
        for number, (event, at, is_known) in enumerate(
            zip(found.events, times, are_old, strict=True), start=1
        ):
            latest = max(after.latest, min(event.time or 0, now))
            after = replace(after, done=number, latest=latest)
            steps.append(Step(event, at, is_known, after))
        end = EventsFile(
            mark=reading.mark,
            latest=after.latest,
            known_until=begun.known_until if reading.more else 0,
            bad=begun.bad + found.bad + reading.too_long,
            is_new=begun.is_new and reading.more,
        )
        return steps, end

    def _take_some(self, steps: list[Step], path: str, readers: Readers) -> EventsFile | None:
        """Take the steps for which there is time; how far the file is read then, None when all are done."""
        until = time.monotonic() + MOST_SECONDS
        for number, step in enumerate(steps, start=1):
            if not step.is_known:
                self._take(step, path, readers)
            if number < len(steps) and time.monotonic() > until:
                return step.after
        return None

    def _take(self, step: Step, path: str, readers: Readers) -> None:
        """Take the event as a marker; how far the file is read is saved with what follows from it."""
        try:
            self._mark(
                step,
                readers,
                lambda transaction: transaction.errands.save_events_file(path, step.after),
            )
        except Exception as error:
            if is_out_of_room(error):
                raise
            log.exception("an event of %s can't be taken as a marker", path)

    def _mark(self, step: Step, readers: Readers, also: Also) -> None:
        event, folder = step.event, readers.folder
        members = self._members(event, readers.agents, step.at)
        one = members if len(members) == 1 else []
        if event.role and not (one and named(event.role, [one[0].record])):
            conversation = one[0].record.conversation if one else ""
            mark = Mark(event.labels, event.role, conversation=conversation, folder=folder)
        else:
            mark = mark_of(event.labels, event.role, one, folder)
        # What is read for the first time may be a copy, as in another tree of the repository.
        if not (step.after.is_new and self._spans.knows(mark, event.kind, step.at)):
            self._workflows.take(mark, event.kind, members, step.at, event.status, also)

    def _members(self, event: StageEvent, agents: list[LiveAgent], at: int) -> list[LiveAgent]:
        """Who is at the stage: the one who is named, else the only one there, else all of the workflow."""
        alive = [each for each in self._roster.alive() if each.record.started <= at + SECOND_MS]
        if event.role and len(found := named(event.role, [each.record for each in alive])) == 1:
            return [each for each in alive if each.record.id == found[0].id]
        here = [each for each in agents if each in alive]
        if len(here) == 1:
            return here
        workflow = event.labels.workflow
        return [each for each in self._workflows.at(workflow, at) if each in alive]


def _begun(known: EventsFile | None, reading: Reading, path: str) -> EventsFile:
    """Where the reading begins; of a file that was replaced, what it may hold again is known."""
    start = FileMark(printable(path))
    if known is None:
        return EventsFile(start, is_new=True)
    if reading.restarted:
        return EventsFile(
            start, latest=known.latest, known_until=known.latest, bad=known.bad, is_new=True
        )
    return known


def _projects_of(folder: str) -> set[str]:
    """The folders that may hold the folder's file: itself, its project, and the repository's root."""
    folders = folders_of(folder)
    return {*folders[:1], project_in(folders), *folders[-1:]} - {""}
