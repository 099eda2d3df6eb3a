"""The reading of what logs hold already: when all of it is read, and when it is not."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest

from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.config import Accounts
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake import history
from tollkeeper_daemon.intake.history import AT_ONCE_BYTES, History, Pending
from tollkeeper_daemon.reading.backlog import Progress, read_backlog
from tollkeeper_daemon.reading.marks import Marks
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.reading.worker import Job
from tollkeeper_daemon.sources.homes import Home, Homes
from tollkeeper_daemon.store.store import Store

WAITED_SECONDS = 20


class Listener:
    """Stands in for the herald."""

    def __init__(self) -> None:
        self.importing: Progress | None = None
        self.told: list[str] = []

    def beat(self) -> None:
        pass

    def lost(self, block: str, error: Exception) -> None:
        raise AssertionError(block) from error

    def alert_once(self, kind: str, text: str) -> None:
        self.told.append(text)


class Reader:
    """A history with one log, and what it asks for."""

    def __init__(self, folder: Path, store: Store, size: int) -> None:
        self.home = Home(folder)
        self.log = str(self.home.projects / "shop" / "conv-1.jsonl")
        Path(self.log).parent.mkdir(parents=True)
        Path(self.log).write_bytes((b"x" * 1000 + b"\n") * (size // 1000))
        self.listener = Listener()
        self.live: list[str] = []
        self.failing: list[str] = []
        self.complete: list[Home] = []
        self.ended = asyncio.Event()
        self.marks = Marks(store)
        self.pending = Pending()
        self.history = History(
            self.marks,
            self.pending,
            Followed(Homes((self.home,), bounded=True), Accounts()),
            cast(Herald, self.listener),
            self,
        )

    def read(self, logs: list[str]) -> None:
        self.live += logs

    def read_past(self, logs: list[str]) -> list[str]:
        return [path for path in logs if path in self.failing]

    def post(self, scans: list[Scan]) -> None:
        self.marks.advance(scans)

    def begins(self) -> None:
        pass

    def is_read(self, homes: list[Home]) -> None:
        self.complete += homes

    def ends(self) -> None:
        self.ended.set()

    async def catch_up(self) -> None:
        """Read what is there to its end, or until it fails."""
        self.ended.clear()
        self.history.catch_up()
        if self.listener.importing:
            async with asyncio.timeout(WAITED_SECONDS):
                await self.ended.wait()


async def failing_backlog(jobs: deque[Job], progress: Progress) -> AsyncIterator[list[Scan]]:
    """A disk without room."""
    raise OSError("no room")
    yield []


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


def test_failed_import(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The logs of an import that failed are left to the next one; only then all is read."""

    async def story() -> None:
        reader = Reader(tmp_path / "home", store, 2 * AT_ONCE_BYTES)
        monkeypatch.setattr(history, "read_backlog", failing_backlog)
        await reader.catch_up()
        assert ["the import failed (no room); it is tried again"] == reader.listener.told
        assert [] == reader.complete
        assert reader.pending.has(reader.log)
        monkeypatch.setattr(history, "read_backlog", read_backlog)
        await reader.catch_up()
        assert [reader.home] == reader.complete
        assert not reader.pending.has(reader.log)
        # What was heard of while it was left alone is read on.
        assert [reader.log] == reader.live

    asyncio.run(story())


def test_log_that_fails(tmp_path: Path, store: Store) -> None:
    """A log that can't be read at once is left to the next catch-up; only then all is read."""

    async def story() -> None:
        reader = Reader(tmp_path / "home", store, 2000)
        reader.failing.append(reader.log)
        await reader.catch_up()
        assert [] == reader.complete
        assert reader.pending.has(reader.log)
        reader.failing.clear()
        await reader.catch_up()
        assert [reader.home] == reader.complete
        assert not reader.pending.has(reader.log)

    asyncio.run(story())
