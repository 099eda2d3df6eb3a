"""Asking ccusage every so many hours: when, and what becomes of it that nobody sees."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ccusage_stand_in import CcusageStandIn
from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.ccusage import beside
from tollkeeper_daemon.ccusage.beside import Beside
from tollkeeper_daemon.config import Accounts, CcusageSettings
from tollkeeper_daemon.ledger.prices import load_prices
from tollkeeper_daemon.sources.homes import find_homes
from tollkeeper_daemon.store.store import Store, StoreError

TENTH_OF_A_SECOND = 0.1 / 3600


class Setup:
    """A stand-in for ccusage and what asks it; ``alerts`` are what was told unasked."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.stand_in = CcusageStandIn(folder / "ccusage")
        (folder / "home" / "projects").mkdir(parents=True)
        self.store = store
        self.settings = CcusageSettings(str(self.stand_in.program))
        self.turns = 0
        self.alerts: list[str] = []
        self.importing = False
        self.snapshots = folder / "usage" / "ccusage-snapshots"
        self._folder = folder
        self.begin()

    def begin(self) -> None:
        """A daemon comes up."""
        self.beside = Beside(
            self.store,
            Followed(find_homes({"CLAUDE_CONFIG_DIR": str(self._folder / "home")}), Accounts()),
            self._look_up,
            load_prices,
            self._folder,
            self.alerts.append,
            lambda: self.importing,
        )

    def every(self, hours: float) -> None:
        """Set the interval, as config.toml would."""
        self.settings = replace(self.settings, every_hours=hours)
        self.beside.settings_moved()

    def _look_up(self) -> CcusageSettings:
        self.turns += 1
        return self.settings

    def until(self, seen: Callable[[], object]) -> None:
        """Let it go on until this is seen."""
        asyncio.run(self._until(self.beside.keep_up(), seen))

    async def _until(self, work: Coroutine[Any, Any, None], seen: Callable[[], object]) -> None:
        task = asyncio.create_task(work)
        async with asyncio.timeout(30):
            while not seen():
                await asyncio.sleep(0.01)
                assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setup]:
    monkeypatch.setattr(beside, "FIRST_SECONDS", 0.01)
    with Store(tmp_path / "ledger") as store:
        yield Setup(tmp_path, store)


def test_again_and_again(setup: Setup) -> None:
    """It asks at once when it never did, keeps what comes, and asks again when it is time."""
    setup.every(TENTH_OF_A_SECOND)
    setup.until(lambda: len(setup.stand_in.calls) >= 6)
    assert len(list(setup.snapshots.iterdir())) == 1
    assert setup.alerts == []


def test_not_before_it_is_time(setup: Setup) -> None:
    """When it was asked last is known after a restart, too."""
    setup.every(24)
    setup.until(lambda: setup.stand_in.calls)
    setup.begin()
    setup.until(lambda: setup.turns >= 3)
    assert len(setup.stand_in.calls) <= 2


def test_while_history_is_read(setup: Setup) -> None:
    """A ledger that is still to be filled is not compared with anything."""
    setup.every(24)
    setup.importing = True
    setup.until(lambda: setup.turns >= 5)
    assert setup.stand_in.calls == []


def test_never(setup: Setup) -> None:
    """Without an interval nothing is run; one that is set later counts at once."""

    def change() -> bool:
        if setup.turns == 1 and not setup.stand_in.calls:
            setup.every(24)
        return bool(setup.stand_in.calls)

    setup.until(change)


def test_what_goes_wrong_unasked(setup: Setup) -> None:
    """A failure is told in a line, and it is asked again the next time."""
    setup.stand_in.behaves("fails")
    setup.every(TENTH_OF_A_SECOND)
    setup.until(lambda: len(setup.alerts) >= 2)
    assert {f"{setup.stand_in.program} ended with status 3: Error: it rains"} == {*setup.alerts}


def test_a_full_disk(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it can't be kept when it was asked, that is told, and it is tried again calmly."""

    def full(work: object) -> None:
        raise StoreError("no room", "make some")

    monkeypatch.setattr(setup.store, "write", full)
    setup.every(24)
    setup.until(lambda: len(setup.alerts) >= 2)
    assert {"ccusage can't be set beside the ledger: see tolld.log"} == {*setup.alerts}


def test_what_can_not_be_kept(setup: Setup) -> None:
    """A snapshot for which there is no place is told of, too."""
    setup.snapshots.parent.mkdir()
    setup.snapshots.touch()
    setup.every(24)
    setup.until(lambda: setup.alerts)
    why = f"{setup.snapshots} can't be written: Not a directory"
    assert setup.alerts == [f"ccusage's snapshot could not be saved: {why}"]


def test_calm(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short the interval is, there is a pause between two runs."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(setup.beside, "_pause", pause)
    setup.every(1e-9)
    setup.until(lambda: len(setup.stand_in.calls) >= 6)
    assert len(pauses) >= 2


def test_one_at_a_time(setup: Setup) -> None:
    """Who asks while it runs waits for that, and asks it anew."""

    async def ask() -> None:
        await asyncio.gather(*(setup.beside.ask() for _ in range(3)))

    asyncio.run(ask())
    words = [call[2].partition(" ")[0] for call in setup.stand_in.calls]
    assert words == ["--version", "claude"] * 3
