"""A machine that is made up: processes that start, freeze and end when the test says so."""

import json
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.agents.census import Census, Reports
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.processes import Passed, Process, Pulse
from tollkeeper_daemon.sources.sessions import Session

from .lines import NINE_MS


def process(
    pid: int = 100,
    *,
    started: int = NINE_MS,
    cwd: str = "/home/dev/src/shop",
    pays_by_key: bool = True,
    home: str = "/home/dev/.claude",
    conversation: str = "",
    **labels: str,
) -> Process:
    """A client's process; labels are the names after ``TOLL_``."""
    return Process(
        id=f"{pid}-{started}",
        pid=pid,
        started=started,
        cwd=cwd,
        labels={f"TOLL_{name}": value for name, value in labels.items()},
        keys=("ANTHROPIC_API_KEY",) if pays_by_key else (),
        home=home,
        conversation=conversation,
    )


def session(pid: int = 100, conversation: str = "conv-1", **more: object) -> Session:
    """What that client says of itself."""
    said = Session(pid=pid, sessionId=conversation, status="busy", procStart=str(NINE_MS))
    return replace(said, **more)


class Machine:
    """Stands in for the module that looks at processes."""

    Passed = Passed

    def __init__(self) -> None:
        self.running: dict[int, Process] = {}
        self.stopped: set[int] = set()
        self.silent: list[int] = []

    def start(self, process: Process) -> Process:
        """A process starts."""
        self.running[process.pid] = process
        return process

    def end(self, pid: int) -> None:
        """A process ends."""
        del self.running[pid]

    def look_at(self, pid: int) -> Process | None:
        return self.running.get(pid)

    def pulse(self, pid: int) -> Pulse | None:
        found = self.running.get(pid)
        return Pulse(found.id, pid in self.stopped) if found else None

    def started_as(self, pid: int, started: int, ticks: object, noted: int | None) -> bool:
        return ticks is None or str(started) == str(ticks)

    def watch_exit(self, pid: int) -> int | None:
        return None

    def find_clients(self, passed: Passed) -> list[Process]:
        return [
            self.running[pid] for pid in self.silent if pid in passed.left(set(self.silent), 0.0)
        ]


class Told(Struct):
    """What a census reported, in order: what happened, and to which agent."""

    news: list[tuple[str, str]]

    def reports(self) -> Reports:
        """Reports that are kept here."""

        def keep(what: str, agent: LiveAgent) -> None:
            self.news.append((what, agent.record.name))

        return Reports(
            lambda agent: keep("started", agent),
            lambda agent: keep("changed", agent),
            lambda agent: keep("exited", agent),
        )

    def take(self) -> list[tuple[str, str]]:
        """What was reported since the last look."""
        news, self.news = self.news, []
        return news


class World:
    """A census of one home on a made-up machine."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine = Machine()
        monkeypatch.setattr("tollkeeper_daemon.agents.census.processes", self.machine)
        self.home = Home(folder)
        self.home.sessions.mkdir(parents=True)
        self.admitted: Home | None = self.home
        self.roster = Roster()
        self.told = Told([])
        self.census = Census(
            self.roster,
            self.told.reports(),
            lambda home: False,
            lambda path: (self.admitted, False),
        )

    def path(self, pid: int) -> str:
        """The session file of this pid."""
        return str(self.home.sessions / f"{pid}.json")

    def write(self, pid: int, now: int, **fields: object) -> None:
        """The client writes its session file, and the census hears of it."""
        said = {"pid": pid, "sessionId": "conv-1", "status": "busy", **fields}
        Path(self.path(pid)).write_text(json.dumps(said))
        self.census.read_session(self.path(pid), self.home, now)

    def remove(self, pid: int, now: int) -> None:
        """The client removes its session file, and the census hears of it."""
        Path(self.path(pid)).unlink()
        self.census.read_session(self.path(pid), self.home, now)

    def names(self) -> list[str]:
        """The living agents' names."""
        return [agent.record.name for agent in self.roster.alive()]
