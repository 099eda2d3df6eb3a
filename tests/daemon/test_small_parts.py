"""Settings, guard, clock and events: the small parts of the daemon."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tollkeeper.paths import Paths
from tollkeeper_daemon import guard
from tollkeeper_daemon.clock import FAR, local_day, now_ms, start_of
from tollkeeper_daemon.config import Config, ConfigError, load_config
from tollkeeper_daemon.events import Inlet

HOUR = 3_600_000


# Settings.


def test_settings(tmp_path: Path) -> None:
    """No file, and an empty one, are the defaults; what a file says is taken."""
    file = tmp_path / "config.toml"
    assert Config() == load_config(file)
    file.write_text("")
    assert Config() == load_config(file)
    file.write_text('[sources]\nprocesses = false\n[accounts]\nsource = "api"\n')
    assert (False, "api") == (
        load_config(file).sources.processes,
        load_config(file).accounts.source,
    )


@pytest.mark.parametrize(
    "content",
    [
        b"[sources",
        b"\xff",
        b"[sauces]",
        b"[sources]\nprocesses = 1",
        b"[sources]\nprocess = true",
        b'[accounts]\nsource = "mine"',
        b"sources = 5",
        b"a = " + b"[" * 5_000,
    ],
)
def test_broken_settings(tmp_path: Path, content: bytes) -> None:
    """Whatever is wrong with the settings is told in one line that names the file."""
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert "\n" not in str(raised.value)


def test_settings_that_are_a_folder(tmp_path: Path) -> None:
    """A folder where the settings should be is told."""
    with pytest.raises(ConfigError):
        load_config(tmp_path)


# The guard.


def places(folder: Path) -> Paths:
    return Paths(folder / "config", folder / "data", folder / "run")


def test_directories_are_private(tmp_path: Path) -> None:
    """Run and data directories are made, and closed to others even if they were open."""
    paths = places(tmp_path / "deep")
    guard.prepare(paths)
    assert all(path.is_dir() for path in (paths.config, paths.data, paths.run))
    paths.run.chmod(0o755)
    paths.data.chmod(0o777)
    guard.prepare(paths)
    assert [0o700, 0o700] == [path.stat().st_mode & 0o777 for path in (paths.run, paths.data)]


def test_directory_that_is_a_file(tmp_path: Path) -> None:
    """A file where a directory should be is told, with what to do."""
    paths = places(tmp_path)
    paths.run.touch()
    with pytest.raises(guard.GuardError, match="can't create") as raised:
        guard.prepare(paths)
    assert raised.value.hint


def test_directory_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run directory that belongs to another user is refused."""
    paths = places(tmp_path)
    guard.prepare(paths)
    monkeypatch.setattr(os, "getuid", lambda: paths.run.stat().st_uid + 1)
    with pytest.raises(guard.GuardError, match="another user"):
        guard.prepare(paths)


def test_lock(tmp_path: Path) -> None:
    """One daemon holds the lock at a time; the second is told the first one's pid."""
    path = tmp_path / "tolld.lock"
    first = guard.Lock(path)
    with pytest.raises(guard.GuardError, match=f"pid {os.getpid()}") as raised:
        guard.Lock(path)
    assert "toll down" in raised.value.hint
    first.release()
    guard.Lock(path).release()
    assert 0 == path.stat().st_mode & 0o077


# The clock.


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2026-11-22", 24),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/Havana", "2026-11-01", 25),
        ("Asia/Kathmandu", "2026-11-22", 24),
        ("UTC", "2026-11-22", 24),
    ],
)
def test_local_days(in_zone: Callable[[str], None], zone: str, day: str, hours: float) -> None:
    """A day that loses or gains an hour is one day all the same, whenever it is asked for."""
    in_zone(zone)
    start = _first_moment(zone, day)
    expected = (start, start + int(hours * HOUR))
    for quarter in range(int(hours * 4)):
        assert expected == local_day(start + quarter * HOUR // 4)
    assert expected == local_day(expected[1] - 1)
    assert expected[1] == local_day(expected[1])[0]


def _first_moment(zone: str, day: str) -> int:
    """The first quarter of an hour of this day, found by looking at each."""
    moment = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=14)
    while moment.astimezone(ZoneInfo(zone)).date().isoformat() != day:
        moment += timedelta(minutes=15)
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Tokyo"])
def test_start_of_a_day(in_zone: Callable[[str], None], name: str) -> None:
    """A day begins at its midnight, or right after one that is skipped, here and in a zone named."""
    in_zone(name)
    for day in (date(2018, 11, 4), date(2026, 3, 29), date(2026, 10, 25)):
        start = start_of(day)
        assert start == start_of(day, ZoneInfo(name)) == local_day(start)[0]
        assert (day, day - timedelta(days=1)) == (
            datetime.fromtimestamp(start / 1000).date(),
            datetime.fromtimestamp(start / 1000 - 1).date(),
        )
    for zone in (None, ZoneInfo(name)):
        assert 0 == start_of(date.min, zone) == start_of(date(1969, 7, 20), zone)
        assert start_of(date(2026, 1, 1)) < start_of(date.max, zone) <= FAR


def test_now_is_in_milliseconds() -> None:
    """The time of day is in milliseconds since 1970."""
    assert abs(now_ms() - time.time() * 1000) < 5_000


# Events.


def test_inlet() -> None:
    """Paths that change many times are taken once, in order, and their coming is told."""

    async def work() -> None:
        inlet = Inlet(asyncio.get_running_loop())
        for path in ("b", "a", "b"):
            inlet.log_changed(path)
        inlet.session_changed("s")
        await inlet.arrived.wait()
        assert (["s"], ["b", "a"]) == inlet.take()
        assert not inlet.arrived.is_set()
        assert ([], []) == inlet.take()

    asyncio.run(work())


def test_inlet_wakes_the_loop_from_a_thread() -> None:
    """A path that a thread hands in wakes whoever waits in the loop."""

    async def work() -> tuple[list[str], list[str]]:
        inlet = Inlet(asyncio.get_running_loop())
        thread = threading.Thread(target=inlet.log_changed, args=("a",))
        waiting = asyncio.create_task(inlet.arrived.wait())
        thread.start()
        await waiting
        thread.join()
        return inlet.take()

    assert ([], ["a"]) == asyncio.run(work())


def test_inlet_outlives_the_loop() -> None:
    """A watcher's last word after the loop has closed harms nobody."""
    loop = asyncio.new_event_loop()
    inlet = Inlet(loop)
    loop.close()
    inlet.log_changed("a")
