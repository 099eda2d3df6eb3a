"""Clients among the processes of this machine: who becomes one, and who is not the one named."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper_daemon.sources import processes
from tollkeeper_daemon.sources.processes import Passed, Process
from waiting import wait_until


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is too young to be told what it is."""
    monkeypatch.setattr(processes, "SETTLED_SECONDS", -1.0)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A shell that turns into a client when it is sent a line."""
    binary = tmp_path / "claude"
    shutil.copy("/bin/sleep", binary)
    with subprocess.Popen(
        ["/bin/sh", "-c", f"read line; exec {binary} 600"], stdin=subprocess.PIPE
    ) as running:
        yield running
        running.kill()


def _found(passed: Passed, pid: int) -> bool:
    return pid in {each.pid for each in processes.find_clients(passed)}


def test_shell_that_becomes_a_client(shell: "subprocess.Popen[bytes]") -> None:
    """A process that was looked at as a shell is found once it is a client by exec."""
    passed = Passed()
    assert not _found(passed, shell.pid)
    assert not _found(passed, shell.pid)
    assert shell.stdin
    shell.stdin.write(b"go\n")
    shell.stdin.flush()
    wait_until(lambda: _found(passed, shell.pid))


def test_passed_for_good() -> None:
    """A pid is looked at for a minute, then never again, until another process may have it."""
    passed = Passed()
    passed.add(1, 0.0)
    passed.add(1, 50.0)
    assert {1, 2} == passed.left({1, 2}, 60.0)
    assert {2} == passed.left({1, 2}, 61.0)
    assert {2} == passed.left({2}, 62.0)
    assert {1} == passed.left({1}, 63.0)


@pytest.fixture
def client(shell: "subprocess.Popen[bytes]") -> Process:
    """A process that is a client by its name."""
    assert shell.stdin
    shell.stdin.write(b"go\n")
    shell.stdin.flush()
    wait_until(lambda: _found(Passed(), shell.pid))
    found = processes.look_at(shell.pid)
    assert found
    return found


def test_old_file_names_no_later_process(client: Process) -> None:
    """A session file without a start in ticks is not that of a process that started after it."""
    for before in (2_001, 86_400_000):
        assert not processes.started_as(client.pid, client.started, None, client.started - before)


def test_file_of_the_client_itself(client: Process) -> None:
    """The client notes its start within a minute of its process's."""
    for later in (-1_000, 0, 1_000, 60_000):
        assert processes.started_as(client.pid, client.started, None, client.started + later)
    assert not processes.started_as(client.pid, client.started, None, client.started + 60_001)
    assert processes.started_as(client.pid, client.started, None, None)


def test_another_program_is_adopted_by_no_file() -> None:
    """A file without a start in ticks makes no agent of what is no client by its name."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("no ticks on this system")
    seen = processes.look_at(os.getpid())
    assert seen
    for noted in (None, seen.started):
        assert not processes.started_as(seen.pid, seen.started, None, noted)


def test_ticks_go_before_the_clock() -> None:
    """Where the start is named in ticks, a clock that was set meanwhile changes nothing."""
    seen = processes.look_at(os.getpid())
    assert seen
    if not Path("/proc/self/stat").exists():
        pytest.skip("no ticks on this system")
    ticks = seen.id.rpartition("-")[2]
    moved = int(time.time() * 1000) + 86_400_000
    assert processes.started_as(seen.pid, moved, ticks, 1)
    assert not processes.started_as(seen.pid, moved, "1", moved)
