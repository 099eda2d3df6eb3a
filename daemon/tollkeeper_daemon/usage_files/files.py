"""Keeps the usage files as the books are: calmly, in a thread, and only what reads otherwise."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from tollkeeper import wire
from tollkeeper.model import Plan
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.clock import day_of, now_ms
from tollkeeper_daemon.config import UsageSettings
from tollkeeper_daemon.ledger.books import quarter
from tollkeeper_daemon.outlets.whole_files import write_whole
from tollkeeper_daemon.reports.choice import day_of as day_of_quarter
from tollkeeper_daemon.reports.choice import quarter_before
from tollkeeper_daemon.reports.sheet import Sheet
from tollkeeper_daemon.sources.orchestra import FOLDER
from tollkeeper_daemon.store.schema import AgentRecord, RunRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.usage_files.content import (
    daily_file,
    days_of,
    session_file,
    session_name,
)
from tollkeeper_daemon.usage_files.repositories import holds, repository_of
from tollkeeper_daemon.usage_files.shapes import DailyFile, SessionFile, plan_snapshot

log = logging.getLogger(__name__)

# What belongs together comes within moments; after that it may wait.
GATHER_SECONDS = 2.0
PAUSE_SECONDS = 60.0
IMPORT_SECONDS = 5.0
EVERY_DAY, NO_DAY = date.min, date.max
USAGE, SESSIONS, DAILY, SNAPSHOTS = "usage", "sessions", "daily", "ccusage-snapshots"
# Of a repository everybody who may read it may read these, too.
FOR_ALL = 0o644
TELLING: frozenset[wire.Topic] = frozenset(
    ("usage", "plan", "agent.started", "agent.changed", "agent.exited")
)


class Moment(Struct, frozen=True):
    """What is not in the store, as it was when the files were to be written; ``since`` is the earliest day to look at."""

    now: int
    plan: Plan
    cwds: frozenset[str]
    since: date
    mirrors: bool


class Found(Struct, frozen=True):
    """What the files are made of: the rows since the earliest that is told anew, and who is who."""

    sheet: Sheet
    agents: list[AgentRecord]
    runs: list[RunRecord]


class UsageFiles:
    """Writes ``usage/sessions`` and ``usage/daily`` of the data directory, and mirrors them.

    It hears every update. Nothing is done until something was used, and then at most once a minute; on
    the first occasion, on each new day and after a charging anew every day is looked at, else those from
    yesterday on, or from the earliest on in which a sum moved. ``plan`` is how the plan stands, ``alert`` is told what can't be written.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        settings: Callable[[], UsageSettings],
        plan: Callable[[int], Plan],
        data: Path,
        alert: Callable[[str], None],
        is_importing: Callable[[], bool],
    ) -> None:
        self._store = store
        self._roster = roster
        self._settings = settings
        self._plan = plan
        self._data = data
        self._alert = alert
        self._is_importing = is_importing
        self._changed = asyncio.Event()
        self._since = EVERY_DAY
        self._day = ""
        self._run: str | None = None

    def hear(self, topic: wire.Topic, update: wire.Update) -> None:
        """An update was published."""
        if topic in TELLING:
            self._changed.set()
        elif isinstance(update, wire.Heartbeat):
            self._hear_beat(update)

    def charged_anew(self) -> None:
        """Any day may have other sums now."""
        self._since = EVERY_DAY
        self._changed.set()

    def booked(self, quarter: int) -> None:
        """Sums moved, the earliest of them in this quarter of an hour."""
        self._since = min(self._since, day_of_quarter(quarter, None))
        self._changed.set()

    async def keep_up(self) -> None:
        """Write what changed, for as long as the daemon lives."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(IMPORT_SECONDS if self._is_importing() else GATHER_SECONDS)
            if not self._is_importing():
                await self._write_in_thread()
                await asyncio.sleep(PAUSE_SECONDS)

    async def stop(self) -> None:
        """Write what has changed since."""
        if self._changed.is_set() and not self._is_importing():
            await self._write_in_thread()

    def _hear_beat(self, beat: wire.Heartbeat) -> None:
        run, day = beat.run.id if beat.run else "", day_of(now_ms())
        if (run, day) != (self._run, self._day):
            if day != self._day:
                self._since = EVERY_DAY
            self._run, self._day = run, day
            self._changed.set()

    async def _write_in_thread(self) -> None:
        self._changed.clear()
        settings, now = self._settings(), now_ms()
        if not settings.files:
            return
        since, self._since = self._since, NO_DAY
        cwds = frozenset(agent.record.cwd for agent in self._roster.agents.values())
        moment = Moment(now, self._plan(now), cwds, since, settings.mirror)
        try:
            await asyncio.to_thread(self._write, moment)
        except OSError as error:
            log.warning("usage files: %s", error)
            self._alert(f"usage files can't be written: {error}")
            self._since = EVERY_DAY
        except Exception:
            log.exception("the usage files can't be made; it is tried again")
            self._alert("usage files can't be made: see tolld.log")
            self._since = EVERY_DAY

    # In a thread.

    def _write(self, moment: Moment) -> None:
        yesterday = date.fromisoformat(day_of(moment.now)) - timedelta(days=1)
        first = min(yesterday, moment.since)
        found = self._store.read(lambda transaction: _found(transaction, first))
        since = first.isoformat()
        place = Place(str(self._data), (USAGE,), 0, 0o600)
        self._write_into(place, found, since, moment, None)
        for repository in (
            {*filter(None, map(repository_of, moment.cwds))} if moment.mirrors else ()
        ):
            self._mirror(repository, found, since, moment)

    def _mirror(self, repository: str, found: Found, since: str, moment: Moment) -> None:
        """The same of what the agents of this repository did, in its own folder; what fails costs no other."""
        place = Place(repository, (FOLDER, USAGE), 1, FOR_ALL)
        try:
            self._write_into(place, found, since, moment, repository)
            self._copy_snapshot(place, day_of(moment.now))
        except OSError as error:
            log.warning("usage files in %s: %s", repository, error)
            self._alert(f"usage files in {repository} can't be written: {error.strerror}")

    def _copy_snapshot(self, place: "Place", today: str) -> None:
        path = self._data / USAGE / SNAPSHOTS / f"{today}.json"
        if path.is_file():
            place.write(SNAPSHOTS, path.name, path.read_bytes())

    def _write_into(
        self,
        place: "Place",
        found: Found,
        since: str,
        moment: Moment,
        repository: str | None,
    ) -> None:
        """Write the files of all that was used, or of what the agents of a repository used."""
        agents = {agent.id: agent for agent in found.agents}
        if repository is not None:
            # Many agents share a folder, and following links is dear.
            inside = {cwd for cwd in {a.cwd for a in found.agents} if holds(repository, cwd)}
            agents = {name: agent for name, agent in agents.items() if agent.cwd in inside}
        days = days_of(
            found.sheet,
            lambda quarter: _day_from(since, quarter),
            lambda book: repository is None or book.agent in agents,
        )
        for day, books in days.items():
            place.write_json(DAILY, f"{day}.json", daily_file(day, books, agents))
        for run in found.runs:
            own = {name: agent for name, agent in agents.items() if agent.run == run.id}
            if own:
                file = _session(run, own, found.sheet, moment)
                place.write_json(SESSIONS, session_name(run), file)


class Place(Struct, frozen=True):
    """A folder for usage files, of which the first ``exists`` folders below the root must be there."""

    root: str
    folders: tuple[str, ...]
    exists: int
    mode: int

    def write_json(self, folder: str, name: str, content: SessionFile | DailyFile) -> None:
        """Write this file, unless it reads so already."""
        data = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
        self.write(folder, name, data)

    def write(self, folder: str, name: str, data: bytes) -> None:
        """The same of what is written out already."""
        folders = (*self.folders, folder)
        write_whole(self.root, folders, name, data, exists=self.exists, mode=self.mode)


def _found(transaction: Transaction, first: date) -> Found:
    runs = transaction.runs()[-2:]
    agents = transaction.agents()
    started = [agent.started for agent in agents if agent.run in {run.id for run in runs}]
    begin = min([quarter_before(first), *(quarter(time) for time in started)])
    rows = transaction.figures(begin)
    books = {number: transaction.book(number) for number in {row[1] for row in rows}}
    return Found(Sheet(rows, books), agents, runs)


def _day_from(since: str, quarter: int) -> str | None:
    day = day_of_quarter(quarter, None).isoformat()
    return day if day >= since else None


def _session(
    run: RunRecord, agents: dict[str, AgentRecord], sheet: Sheet, moment: Moment
) -> SessionFile:
    books = days_of(sheet, lambda _: run.id, lambda book: book.agent in agents).get(run.id, {})
    return session_file(run, agents.values(), books, plan_snapshot(moment.plan))
