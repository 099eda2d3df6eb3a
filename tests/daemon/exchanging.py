"""A daemon's exchange with others, that dies when the test says so, and the next one on the same ledger."""

import asyncio
import json
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from msgspec.structs import replace

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.config import BeadsSettings, Config, WorkflowSettings
from tollkeeper_daemon.exchange.comments import Comments
from tollkeeper_daemon.exchange.events import Events
from tollkeeper_daemon.exchange.issues import Issues
from tollkeeper_daemon.exchange.lines import Lines
from tollkeeper_daemon.exchange.metrics_file import path_in
from tollkeeper_daemon.exchange.reckoner import Reckoner
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.outlets.bd import Answer, Bd, BdError
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.workflows.workflows import Workflows

from .at_work import SECOND, STAGES, AtWork
from .machine import process, session

T = TypeVar("T")

ON = Config(
    workflow=WorkflowSettings(write_metrics=True),
    beads=BeadsSettings(comment=True),
)
PULSE = 2 * SECOND


class Killed(BaseException):
    """The daemon is gone."""


class Fate:
    """Counts the moments at which a daemon may die, and says at which it does."""

    def __init__(self, deadly: Sequence[int] = ()) -> None:
        self.moments = 0
        self._deadly = {*deadly}

    def __call__(self) -> None:
        self.moments += 1
        if self.moments in self._deadly:
            raise Killed


class MortalStore:
    """The store of a daemon that may die right before and right after whatever it saves."""

    def __init__(self, store: Store, fate: Callable[[], None]) -> None:
        self.last_saved = store.last_saved
        self.read = store.read
        self._store = store
        self._fate = fate

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Save, and live or die."""
        self._fate()
        found = self._store.write(work)
        self._fate()
        return found


class FakeBd:
    """Plays the command: ``does`` says how each of the next calls goes, well when nothing is left.

    ``busy`` fails at once, ``slow`` takes no comment and says nothing in its time, ``crash`` does what it
    was asked for and tells of a failure.
    """

    def __init__(self, fate: Callable[[], None]) -> None:
        self.fate = fate
        self.does: list[str] = []
        self.comments: list[tuple[str, str]] = []
        self.calls: list[tuple[str, ...]] = []

    async def call(self, command: str, arguments: Sequence[str], folder: str) -> Answer:
        """What it answers."""
        self.fate()
        self.calls.append(tuple(arguments))
        mode = self.does.pop(0) if self.does else ""
        if mode == "slow":
            raise BdError("bd gave no answer within 30 s")
        if mode == "busy":
            return Answer(1, b"", b"Error: database is locked")
        answer = self._answer(tuple(arguments))
        self.fate()
        return Answer(1, b"", b"signal: killed") if mode == "crash" else answer

    def _answer(self, words: tuple[str, ...]) -> Answer:
        match words:
            case ("list", "--id", task, *_):
                found: Any = [{"id": task, "labels": []}]
            case ("comments", "add", task, "-f", file, *_):
                text = Path(file).read_text("utf-8")
                self.comments.append((task, text))
                found = {"issue_id": task, "text": text}
            case ("comments", task, "--json"):
                found = [{"issue_id": id, "text": text} for id, text in self.comments if id == task]
            case _:
                raise AssertionError(words)
        return Answer(0, json.dumps(found).encode(), b"")


class Silent:
    """Tells nobody."""

    def workflow(self, *_: object, **__: object) -> None:
        pass


class Exchanging:
    """A daemon, a project with the file of its workflows, and bd; the test says what time it is.

    Whatever it is asked to do, it does: dies, and is started again, until it is done.
    """

    def __init__(self, store: Store, project: Path, deadly: Sequence[int] = ()) -> None:
        self.project = project
        (project / ".claude").mkdir(parents=True)
        self.file = Path(path_in(str(project)))
        self.fate = Fate(deadly)
        self.bd = FakeBd(self.fate)
        self.config = ON
        self.deaths = 0
        self.told: list[str] = []
        self.store = store
        self._begin(None)

    def _begin(self, after: AtWork | None) -> None:
        store = cast(Store, MortalStore(self.store, self.fate))
        self.work = work = AtWork(store, after).begin()
        self.workflows = Workflows(
            store,
            work.spans,
            work.following,
            work.members,
            work.roster,
            cast(Herald, Silent()),
        )
        self.events = Events(
            store, work.spans, self.workflows, work.roster, lambda kind: STAGES.get(kind, "")
        )
        self.reckoner = Reckoner(store, work.spans, lambda: self.config, work.now)
        self.lines = Lines(store, self.told.append)
        issues = Issues(
            cast(Bd, self.bd), lambda: self.config.beads, self.project / "comment.draft"
        )
        self.comments = Comments(store, issues, lambda: self.config.beads, self.told.append)

    # What happens.

    def does(self, work: Callable[[], object]) -> None:
        """The daemon does this, however often it dies over it."""
        while True:
            try:
                work()
            except Killed:
                self._rise()
            else:
                return

    def _rise(self) -> None:
        while True:
            self.deaths += 1
            try:
                self._begin(self.work)
            except Killed:
                continue
            return

    def restarts(self) -> None:
        """The daemon is killed, and the next one comes up now."""
        self._begin(self.work)

    def agent(self, pid: int = 100, folder: Path | None = None, **labels: str) -> None:
        """An agent starts in the project, or in another folder, with these labels."""
        cwd = str(folder or self.project)
        brought = {f"TOLL_{name}": value for name, value in labels.items()}
        seen = replace(process(pid, started=self.work.now, cwd=cwd), labels=brought)
        self.work.roster.appear(seen, session(pid, f"conv-{pid}"), False, self.work.now)

    def appends(self, **fields: Any) -> None:
        """Somebody appends a line to the file."""
        with self.file.open("ab") as file:
            file.write(json.dumps(fields).encode() + b"\n")

    def tells(self, event: str, stage: str, ago: int = 0, **fields: Any) -> None:
        """Somebody appends an event of a stage, of now or so long ago (ms)."""
        named = {"workflow_id": "w-1", "task_id": f"w-1.1-{stage}", "stage": stage}
        stamp = iso(self.work.now - ago)
        self.appends(event=f"stage_{event}", timestamp=stamp, **named, **fields)

    def begins(self, workflow: str = "w-1") -> None:
        """A marker starts the whole workflow."""
        now, folder = self.work.now, str(self.project)
        self.does(lambda: self.workflows.start(workflow, "", folder, now))

    def ends(self, workflow: str = "w-1") -> None:
        """A marker ends the whole workflow."""
        now = self.work.now
        self.does(lambda: self.workflows.end(workflow, "completed", now))

    def passes(self, time: int = 3 * PULSE) -> None:
        """Time passes (ms), with a pulse now and then."""
        until = self.work.now + time
        while self.work.now < until:
            self.work.now += PULSE
            self.does(self._pulse)

    def settles(self) -> None:
        """Time passes until nothing waits any more."""
        for _ in range(200):
            self.passes(PULSE)
            if not self.store.read(_waits):
                return
        raise AssertionError("something waits for ever")

    def _pulse(self) -> None:
        now = self.work.now
        self.work.look()
        for part in (self.events, self.reckoner, self.lines):
            part.look(now)
        asyncio.run(self.comments.write(now))

    # What is there.

    def written(self) -> list[dict[str, Any]]:
        """The daemon's own lines in the file."""
        if not self.file.exists():
            return []
        lines = [json.loads(line) for line in self.file.read_bytes().splitlines()]
        return [line for line in lines if "tokens" in line]

    def commented(self) -> list[tuple[str, list[str]]]:
        """What was commented on which task, but for when."""
        return [
            (task, [row for row in text.splitlines() if not row.startswith("Generated")])
            for task, text in self.bd.comments
        ]


def _waits(transaction: Transaction) -> bool:
    errands = transaction.errands
    return bool(errands.ended() or errands.lines() or errands.comments())


@contextmanager
def mortal_writes(fate: Callable[[], None]) -> Generator[None]:
    """Whoever writes to a file may die before it, in the midst of it, and after it."""
    write = os.write

    def write_mortally(where: int, data: bytes) -> int:
        fate()
        half = len(data) // 2
        written = write(where, data[:half])
        fate()
        written += write(where, data[half:])
        fate()
        return written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", write_mortally)
        yield
