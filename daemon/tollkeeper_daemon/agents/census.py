"""Counts who is there: turns session files and processes into agents of the roster."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tollkeeper.model import AgentState
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.reading.scan import place_of
from tollkeeper_daemon.sources import processes
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.processes import Process
from tollkeeper_daemon.sources.sessions import Session, list_sessions, read_session

log = logging.getLogger(__name__)


class Reports(Struct, frozen=True):
    """Who is told of what the census finds."""

    started: Callable[[LiveAgent], None]
    changed: Callable[[LiveAgent], None]
    exited: Callable[[LiveAgent], None]


class Census:
    """Keeps the roster true to the machine.

    ``subscribed`` says whether the clients of a home run on a subscription; ``admit`` gives the home
    at a path, if its agents count, and whether it was only now taken in.
    """

    def __init__(
        self,
        roster: Roster,
        reports: Reports,
        subscribed: Callable[[Home], bool],
        admit: Callable[[str], tuple[Home | None, bool]],
    ) -> None:
        self._roster = roster
        self._reports = reports
        self._subscribed = subscribed
        self._admit = admit
        self._exits: dict[str, int] = {}
        self._read: dict[str, int] = {}
        self._told: dict[str, AgentState] = {}
        self._passed = processes.Passed()
        self.bad_files: set[str] = set()

    def begin(self, now: int) -> None:
        """Look after the agents that an earlier daemon left: watch them, or book them out."""
        for agent in self._roster.alive():
            self._watch(agent)
            self._told[agent.record.id] = agent.state(now)
        self.take_pulses(now)

    def close(self) -> None:
        """Stop watching for exits."""
        for agent in list(self._exits):
            self._unwatch(agent)

    def read_sessions(self, home: Home, now: int) -> None:
        """Look at every session file of the home that changed since it was read."""
        for path in list_sessions(home.sessions):
            if self._read.get(path) != _modified(path):
                self.read_session(path, home, now)

    def read_session(self, path: str, home: Home, now: int) -> None:
        """A session file came, changed or went."""
        self._read[path] = _modified(path)
        try:
            session = read_session(path)
        except ValueError as error:
            self.bad_files.add(path)
            log.debug("%s", error)
            return
        self.bad_files.discard(path)
        known = self._roster.with_pid(int(Path(path).stem))
        if known and self._check(known, now) and session:
            if _is_of(session, known.record.started):
                self._hear(known, session, home, now)
        elif session:
            self._meet(session, home, now)
        else:
            del self._read[path]

    def _hear(self, agent: LiveAgent, session: Session, home: Home, now: int) -> None:
        moved = self._roster.lives_in(agent, str(home.path))
        if self._roster.hear(agent, session, now) or moved:
            self._is_news(agent, now)
            self._reports.changed(agent)

    def _meet(self, session: Session, home: Home, now: int) -> None:
        """A session file of a process that is not in the roster: a new agent, or a left-over."""
        process = processes.look_at(session.pid)
        if process and _is_of(session, process.started):
            self._add(process, session, home, now)

    def _add(self, process: Process, session: Session | None, home: Home, now: int) -> None:
        agent = self._roster.appear(process, session, self._subscribed(home), now)
        self._roster.lives_in(agent, str(home.path))
        self._watch(agent)
        self._told[agent.record.id] = agent.state(now)
        self._reports.started(agent)

    def find_clients(self, now: int) -> None:
        """Look for clients that write no session file."""
        for process in processes.find_clients(self._passed):
            home, is_new = self._admit(process.home)
            if home and is_new:
                self.read_sessions(home, now)
            if self._roster.with_pid(process.pid) is None:
                if home is None:
                    self._passed.add(process.pid, time.monotonic())
                else:
                    self._add(process, None, home, now)

    def guess_holder(self, path: str, conversation: str) -> LiveAgent | None:
        """The agent without a session file that must be writing this log, when only one can be."""
        _, project = place_of(path)
        silent = [
            agent
            for agent in self._roster.alive()
            if agent.status is None and slug(agent.record.cwd) == project
        ]
        fresh = [agent for agent in silent if not agent.record.conversation] or silent
        if len(fresh) != 1:
            return None
        self._roster.converses(fresh[0], conversation)
        return fresh[0]

    def take_pulses(self, now: int) -> None:
        """Look whether each agent lives, and whether its state is another than was told last."""
        for agent in self._roster.alive():
            self.look_at(agent, now)

    def look_at(self, agent: LiveAgent, now: int) -> None:
        """Look at once how this agent is; whoever listens is told when that is news."""
        if self._check(agent, now) and self._is_news(agent, now):
            self._reports.changed(agent)

    def _is_news(self, agent: LiveAgent, now: int) -> bool:
        told, state = self._told.get(agent.record.id), agent.state(now)
        self._told[agent.record.id] = state
        return told != state

    def _check(self, agent: LiveAgent, now: int) -> bool:
        """Whether the agent lives; books it out if not."""
        pulse = processes.pulse(agent.record.pid)
        if pulse is None or pulse.id != agent.record.id:
            self._book_out(agent, now)
            return False
        agent.freeze(pulse.stopped, now)
        return True

    def _book_out(self, agent: LiveAgent, now: int) -> None:
        if agent.record.ended:
            return
        self._unwatch(agent.record.id)
        self._told.pop(agent.record.id, None)
        self._roster.exit(agent, now)
        self._reports.exited(agent)

    def _watch(self, agent: LiveAgent) -> None:
        """Hear of the exit at once where the system can tell; the pulses find it in any case."""
        descriptor = processes.watch_exit(agent.record.pid)
        if descriptor is None or agent.record.id in self._exits:
            if descriptor is not None:
                os.close(descriptor)
            return
        self._exits[agent.record.id] = descriptor
        asyncio.get_running_loop().add_reader(descriptor, self._exited, agent)

    def _exited(self, agent: LiveAgent) -> None:
        self._book_out(agent, now_ms())

    def _unwatch(self, agent: str) -> None:
        descriptor = self._exits.pop(agent, None)
        if descriptor is not None:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)


def slug(cwd: str) -> str:
    """The name of a project's folder: its path with all but letters and digits made a dash."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in cwd)


def _is_of(session: Session, started: int) -> bool:
    """Whether the process that has the session's pid, and this start (ms), is the one that wrote it."""
    return processes.started_as(session.pid, started, session.procStart, session.startedAt)


def _modified(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
