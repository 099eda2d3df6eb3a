"""A daemon that is told of nothing: what it finds by looking, and what it makes of that."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from flow.agent_process import start_ticks
from tollkeeper import wire
from tollkeeper.paths import find_paths
from tollkeeper_daemon import beats
from tollkeeper_daemon.config import Config, Sources
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.outlets.commands import Commands
from tollkeeper_daemon.outlets.notifier import Notifier
from tollkeeper_daemon.outlets.publisher import Publisher
from tollkeeper_daemon.reading.marks import Marks
from tollkeeper_daemon.reading.worker import Job
from tollkeeper_daemon.sources.homes import Home, Homes
from tollkeeper_daemon.sources.watcher import Watcher
from tollkeeper_daemon.store.store import Store
from waiting import wait_until

from .lines import assistant
from .shelf import PRICES

LONG_AGO = 1_000_000_000


class Silent(Publisher):
    """Publishes nothing, and keeps the topics."""

    def __init__(self) -> None:
        self.sequence = 0
        self.topics: list[str] = []

    def follow(self, hear: Callable[[wire.Topic, wire.Update], None]) -> None:
        """Nobody hears of what is not published."""

    def publish(self, topic: wire.Topic, kind: type[wire.Update], time: str, **_: object) -> None:
        self.sequence += 1
        self.topics.append(topic)


class Place:
    """A Claude home that is watched by nobody, and a daemon that sweeps it all the time."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = Home(folder / "claude")
        self.folder = self.home.projects / "-p"
        self.folder.mkdir(parents=True)
        self.store = folder / "ledger"
        self.paths = find_paths({"TOLL_HOME": str(folder)})
        self.sweeps = 0
        monkeypatch.setattr(beats, "SWEEP_SECONDS", 0.02)
        monkeypatch.setattr(Watcher, "follow", _hear_nothing)
        look = Marks.backlog

        def count(marks: Marks, logs: "Iterator[os.DirEntry[str]]") -> list[Job]:
            self.sweeps += 1
            return look(marks, logs)

        monkeypatch.setattr(Marks, "backlog", count)

    @asynccontextmanager
    async def daemon(self) -> AsyncGenerator[Daemon]:
        """A daemon at work."""
        config = Config(sources=Sources(processes=False))
        homes = Homes((self.home,), bounded=True)
        notifier = Notifier(config.notify, Commands(config.on.timeout_seconds))
        with Store(self.store) as store:
            made = Daemon(
                store, PRICES, config, homes, Silent(), notifier, asyncio.Event(), self.paths
            )
            await made.start()
            try:
                yield made
            finally:
                await made.stop()

    def grow(self, data: bytes, name: str = "conv-1.jsonl") -> None:
        """Append to the log, in no time, and so that it looks as if that was long ago."""
        path, aside = self.folder / name, self.home.path / "aside"
        if path.exists():
            path.rename(aside)
        with open(aside, "ab") as file:
            file.write(data)
        os.utime(aside, (LONG_AGO, LONG_AGO))
        aside.rename(path)

    async def sweep(self) -> None:
        """Wait until the daemon has looked at all logs once more, from beginning to end."""
        target = self.sweeps + 2
        await until(lambda: self.sweeps >= target)


def _hear_nothing(watcher: Watcher, home: Home) -> bool:
    return False


async def until(condition: Callable[[], bool]) -> None:
    """Wait for this while the daemon goes on."""
    await asyncio.to_thread(wait_until, condition)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def test_missed_growth_makes_the_watcher_poll(place: Place) -> None:
    """A log that grew some time ago unheard is read, and the daemon polls from then on and says so."""

    async def work() -> None:
        place.grow(assistant() + b"\n")
        async with place.daemon() as daemon:
            await place.sweep()
            assert "polling" != daemon.watcher.kind
            place.grow(assistant(message="msg_2", request="req_2") + b"\n")
            await until(lambda: daemon.watcher.kind == "polling")
            status = daemon.snapshot()
            assert 1 == len(daemon.marks)
            assert ["watches"] == [alert.kind for alert in status.alerts]
            assert "not heard of" in status.alerts[0].text

    asyncio.run(work())


def test_missed_log_makes_the_watcher_poll(place: Place) -> None:
    """A whole log that came some time ago unheard does the same."""

    async def work() -> None:
        async with place.daemon() as daemon:
            place.grow(assistant() + b"\n")
            await until(lambda: daemon.watcher.kind == "polling")

    asyncio.run(work())


def test_half_a_line_is_no_missed_growth(place: Place) -> None:
    """A log that ends, or begins, with half a line is looked at in vain, and nothing follows."""

    async def work() -> None:
        place.grow(assistant() + b"\n")
        async with place.daemon() as daemon:
            place.grow(b'{"type":"ass')
            place.grow(b'{"type":"assist', "conv-2.jsonl")
            place.grow(b"", "conv-3.jsonl")
            await place.sweep()
            assert "polling" != daemon.watcher.kind
            assert () == daemon.snapshot().alerts

    asyncio.run(work())


def test_half_a_line_of_a_subagent(place: Place) -> None:
    """A subagent's new log of half a line is no missed growth either."""

    async def work() -> None:
        (place.folder / "conv-1" / "subagents").mkdir(parents=True)
        async with place.daemon() as daemon:
            place.grow(b'{"type":"ass', "conv-1/subagents/agent-a1.jsonl")
            await place.sweep()
            assert "polling" != daemon.watcher.kind

    asyncio.run(work())


def test_growth_a_moment_ago_is_no_missed_growth(place: Place) -> None:
    """A log that has grown just now is read, and may still be heard of."""

    async def work() -> None:
        async with place.daemon() as daemon:
            (place.folder / "conv-1.jsonl").write_bytes(assistant() + b"\n")
            await until(lambda: len(daemon.marks) == 1)
            await place.sweep()
            assert "polling" != daemon.watcher.kind

    asyncio.run(work())


def test_session_file_that_changed_unheard(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The regular look reads a session file again that changed without a word."""
    monkeypatch.setattr(beats, "CLIENTS_SECONDS", 0.02)
    place.home.sessions.mkdir()
    file = place.home.sessions / f"{os.getpid()}.json"
    said = {
        "pid": os.getpid(),
        "procStart": start_ticks(os.getpid()),
        "startedAt": int(psutil.Process().create_time() * 1000),
        "sessionId": "c",
    }

    def write(status: str) -> None:
        aside = place.home.path / "aside"
        aside.write_text(json.dumps({**said, "status": status}))
        aside.rename(file)

    async def work() -> None:
        async with place.daemon() as daemon:
            for status, state in [("idle", "idle"), ("busy", "working"), ("waiting", "waiting")]:
                write(status)
                await until(lambda state=state: [state] == states(daemon))

    def states(daemon: Daemon) -> list[str]:
        return [agent.state for agent in daemon.snapshot().agents]

    asyncio.run(work())
