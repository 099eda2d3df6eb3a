"""A daemon that a service manager started tells it that it is ready, that it lives, and that it ends."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper.control import is_listening
from waiting import wait_until

from .keeper import Keeper

PERIOD_SECONDS = 1.0
PATIENCE_SECONDS = 30.0


class Manager:
    """The socket of a service manager."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.socket.settimeout(PATIENCE_SECONDS)

    def hears(self) -> bytes:
        """The next that it is told."""
        return self.socket.recv(4096)

    def hears_no_more(self) -> list[bytes]:
        """All that it was told by now."""
        self.socket.settimeout(0)
        heard: list[bytes] = []
        try:
            while True:
                heard.append(self.hears())
        except BlockingIOError:
            return heard


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A Tollkeeper whose daemon is started with the variables of a service."""
    with Keeper() as idle:
        idle.environment["WATCHDOG_USEC"] = str(int(PERIOD_SECONDS * 1e6))
        yield idle


@pytest.mark.parametrize("kind", ["file", "abstract"])
def test_life_of_a_service(keeper: Keeper, kind: str) -> None:
    """READY=1 once it answers, WATCHDOG=1 twice a period while it lives, STOPPING=1 at its end."""
    if kind == "abstract" and sys.platform != "linux":
        pytest.skip("abstract sockets are Linux's")
    path = str(keeper.root / "notify")
    address = f"@{path}" if kind == "abstract" else path
    manager = Manager(address)
    keeper.environment["NOTIFY_SOCKET"] = address
    keeper.spawn()
    assert b"READY=1" == manager.hears()
    assert is_listening(keeper.paths)
    first = time.monotonic()
    signs = 6
    for _ in range(signs):
        assert b"WATCHDOG=1" == manager.hears()
    assert PERIOD_SECONDS / 2 * (signs - 1) - 0.1 < time.monotonic() - first
    keeper.toll.call("ping", dict[str, object])
    assert 0 == keeper.stop()
    last = manager.hears_no_more()
    assert b"STOPPING=1" == last[-1]
    assert {b"WATCHDOG=1"} >= set(last[:-1])
    manager.socket.close()


def test_frozen_daemon_is_silent(keeper: Keeper) -> None:
    """A daemon that does not go on gives no sign of life, so that it can be told."""
    manager = Manager(str(keeper.root / "notify"))
    keeper.environment["NOTIFY_SOCKET"] = str(keeper.root / "notify")
    process = keeper.spawn()
    assert b"READY=1" == manager.hears()
    assert b"WATCHDOG=1" == manager.hears()
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: _state_of(process.pid) == "T", what="a frozen daemon")
    manager.hears_no_more()
    manager.socket.settimeout(3 * PERIOD_SECONDS)
    with pytest.raises(TimeoutError):
        manager.hears()
    process.send_signal(signal.SIGCONT)
    manager.socket.settimeout(PATIENCE_SECONDS)
    assert b"WATCHDOG=1" == manager.hears()
    manager.socket.close()


def test_not_meant(keeper: Keeper) -> None:
    """Signs of life are only for the process that they are asked of; that it is ready it says anyway."""
    manager = Manager(str(keeper.root / "notify"))
    keeper.environment["NOTIFY_SOCKET"] = str(keeper.root / "notify")
    keeper.environment["WATCHDOG_PID"] = str(os.getpid())
    keeper.start()
    assert 0 == keeper.stop()
    assert [b"READY=1", b"STOPPING=1"] == manager.hears_no_more()
    manager.socket.close()


def test_nobody_listens(keeper: Keeper) -> None:
    """A manager that is gone changes nothing for the daemon."""
    keeper.environment["NOTIFY_SOCKET"] = str(keeper.root / "gone")
    keeper.start()
    assert keeper.toll.status().agents == ()
    assert 0 == keeper.stop()
    assert "the service manager was not told READY=1" in keeper.paths.log.read_text()


def test_not_passed_on(keeper: Keeper) -> None:
    """A daemon that a command starts within somebody's service does not speak for that service."""
    manager = Manager(str(keeper.root / "notify"))
    keeper.environment["NOTIFY_SOCKET"] = str(keeper.root / "notify")
    assert 0 == keeper.run("up").returncode
    assert 0 == keeper.run("down").returncode
    assert [] == manager.hears_no_more()
    manager.socket.close()


def test_commands_do_not_speak_for_it(keeper: Keeper, tmp_path: Path) -> None:
    """The user's commands are not told of the manager, which they could mislead."""
    said = tmp_path / "said"
    keeper.environment["NOTIFY_SOCKET"] = str(keeper.root / "notify")
    manager = Manager(str(keeper.root / "notify"))
    keeper.configure(f"[on]\nagent_started = 'env > {said}.part; mv {said}.part {said}'\n")
    keeper.start()
    keeper.start_agent().says("busy")
    wait_until(said.exists, what="the command")
    words = said.read_text()
    assert "PATH=" in words
    assert not any(name in words for name in ("NOTIFY_SOCKET", "WATCHDOG"))
    manager.socket.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the journal is Linux's")
def test_journal(keeper: Keeper) -> None:
    """Where stderr leads into the journal, each line goes there with its severity, and to the log."""
    read, write = os.pipe()
    status = os.fstat(write)
    keeper.environment["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
    keeper.spawn(stderr=write)
    os.close(write)
    wait_until(lambda: is_listening(keeper.paths))
    assert 0 == keeper.stop()
    with open(read, encoding="utf-8") as opened:
        lines = opened.read().splitlines()
    assert any(line.startswith("<6>listening, with pid ") for line in lines)
    assert "<6>stopped" == lines[-1]
    assert "listening, with pid" in keeper.paths.log.read_text()


def _state_of(pid: int) -> str:
    """How a process is: T when it is frozen."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
