"""The command ``bd`` is called with care. A stand-in plays it (bd_stand_in.py), since the real program can't
be had from a package registry.
"""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from beads_project import COMMAND, BeadsProject
from tollkeeper_daemon.outlets import children
from tollkeeper_daemon.outlets.bd import Answer, Bd, BdError
from waiting import wait_until

LIST = ["list", "--id", "bd-1", "--all", "--json"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BeadsProject:
    """A project with one issue."""
    monkeypatch.setenv("BEADS_DIR", str(tmp_path / "beads"))
    monkeypatch.setenv("BEADS_ACTOR", "toll")
    return BeadsProject(tmp_path / "beads", {"bd-1": []})


def call(
    folder: Path, words: list[str] | None = None, command: str = COMMAND, timeout: float = 20
) -> Answer:
    """What is answered."""
    return asyncio.run(Bd(timeout).call(command, LIST if words is None else words, str(folder)))


def test_call(project: BeadsProject, tmp_path: Path) -> None:
    """It runs in the project's folder, with nothing on its stdin, and with the environment of Beads."""
    answer = call(tmp_path)
    assert (0, b"") == (answer.status, answer.error)
    assert b'"bd-1"' in answer.checked
    [begun] = project.calls()
    assert (LIST, str(tmp_path), "", "toll") == tuple(
        begun[name] for name in ("words", "cwd", "stdin", "actor")
    )


def test_refusal(project: BeadsProject, tmp_path: Path) -> None:
    """A failure is told in its own words."""
    project.behaves(refuses="some trace\nError: database is \x1b[31mlocked")
    answer = call(tmp_path)
    assert 1 == answer.status
    with pytest.raises(BdError, match=r"^bd ended with status 1: Error: database is ·\[31mlocked$"):
        _ = answer.checked


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("bd-that-is-nowhere", "bd-that-is-nowhere is not there"),
        ("", r"beads\.command is not there"),
        ("bd 'half", r"beads\.command can't be read"),
        ("/dev/null", "/dev/null is not there"),
    ],
)
def test_absent(tmp_path: Path, command: str, words: str) -> None:
    """Without the program there is no answer."""
    with pytest.raises(BdError, match=words):
        call(tmp_path, command=command)


def test_program_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name in the project is not run, whatever the search path says."""
    for folder in ("shop", "bin", "home"):
        (tmp_path / folder).mkdir()
        program = tmp_path / folder / "bd-of-test"
        program.write_text(f"#!/bin/sh\necho {folder}\n")
        program.chmod(0o755)
    (tmp_path / "home" / "bd-of-test").unlink()
    monkeypatch.chdir(tmp_path / "home")
    monkeypatch.setenv("PATH", f".:{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert b"bin\n" == call(tmp_path / "shop", [], command="bd-of-test").out


def test_project_that_is_gone(tmp_path: Path) -> None:
    """A folder that was removed is told as that."""
    with pytest.raises(BdError, match="gone is gone"):
        call(tmp_path / "gone")


def test_too_slow(project: BeadsProject, tmp_path: Path) -> None:
    """It gets its time and no more: then all of it is killed."""
    project.behaves(waits=60)
    with pytest.raises(BdError, match=r"gave no answer within 0\.8 s"):
        call(tmp_path, timeout=0.8)
    [begun] = project.calls()
    wait_until(lambda: is_gone(begun["pid"]))
    assert [] == project.calls("ends")


def is_gone(pid: int) -> bool:
    """Whether no such process runs; one that was not waited for yet runs no more."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may not fill the memory."""
    monkeypatch.setattr(children, "MOST_OUTPUT", 1 << 20)
    with pytest.raises(BdError, match="said more than 1 MB"):
        call(tmp_path, [], command="yes")


def test_what_it_leaves_running(tmp_path: Path) -> None:
    """Its answer is there though something that it started holds its output open."""
    script = "echo '[]'; sleep 60 & echo $! > pid"
    answer = call(tmp_path, [], command=f'sh -c "{script}"')
    assert (0, b"[]\n") == (answer.status, answer.out)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_one_at_a_time(project: BeadsProject, tmp_path: Path) -> None:
    """A call waits for the one before it."""

    async def several() -> None:
        program = Bd()
        await asyncio.gather(*(program.call(COMMAND, LIST, str(tmp_path)) for _ in range(3)))

    asyncio.run(several())
    wanted = ["begins", "ends"] * 3
    assert wanted == [each["event"] for each in project.calls_in_order()]


CALLER = """
import asyncio, sys
from tollkeeper_daemon.outlets.bd import Bd
asyncio.run(Bd().call(sys.argv[1], sys.argv[2:], "."))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_caller_that_dies(project: BeadsProject, tmp_path: Path, number: signal.Signals) -> None:
    """What it was asked for dies with the caller: nothing is done behind the back of the next one."""
    project.behaves(waits=60)
    caller = subprocess.Popen([sys.executable, "-c", CALLER, COMMAND, *LIST], cwd=tmp_path)
    begun = wait_until(project.calls)
    caller.send_signal(number)
    caller.wait(10)
    wait_until(lambda: is_gone(begun[0]["pid"]))
