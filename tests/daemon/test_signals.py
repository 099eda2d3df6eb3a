"""Freezing, thawing and stopping real processes, all of them started here."""

import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from proc import needs_proc
from tollkeeper.kernel import Kernel, Proc, has_proc
from tollkeeper.signals import ProcessGone, SignalRefused, id_of, recognise, send
from tollkeeper_daemon.outlets import kernel as kernels
from tollkeeper_daemon.outlets.kernel import Psutil, real_kernel
from tollkeeper_daemon.outlets.signals import Signals
from waiting import wait_until

KERNELS: list[type[Kernel]] = [Proc, Psutil] if has_proc() else [Psutil]
# Each of them has two below it, down to depth 0, and all of them start sleeps without end.
TREE = """
if [ "$1" -gt 0 ]; then sh "$0" $(($1 - 1)) & sh "$0" $(($1 - 1)) & fi
while :; do sleep 0.01; done
"""
# Starts children as fast as it can, each of which starts one more.
BOMB = """
echo on
i=0; while [ $i -lt 1000 ]; do sh -c 'sleep 600 & wait' & i=$((i + 1)); done; wait
"""
DEAF = "trap '' TERM; echo on; while :; do sleep 0.1; done"
# Says goodbye when told to end, and leaves a child behind.
POLITE = "trap 'echo bye; exit 3' TERM; sleep 600 & echo $!; while :; do sleep 0.01; done"
Child = subprocess.Popen[bytes]


class Started:
    """Processes started for a test, and ended with all below them when it is over."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def __call__(self, *command: str) -> Child:
        """Start it as the leader of a process group of its own."""
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        self._children.append(child)
        return child

    def shell(self, script: str) -> Child:
        """Start this script."""
        return self("sh", "-c", script)

    def end(self) -> None:
        for child in self._children:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait(10)
            assert child.stdout
            child.stdout.close()


@pytest.fixture
def start() -> Iterator[Started]:
    started = Started()
    yield started
    started.end()


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    """Every way there is to tell processes apart here."""
    return request.param()


@pytest.fixture
def signals(kernel: Kernel) -> Signals:
    return Signals(kernel)


def _id(pid: int, kernel: Kernel) -> str:
    stat = kernel.stat(pid)
    assert stat
    return id_of(pid, stat.start)


def _line(child: Child) -> str:
    assert child.stdout
    return child.stdout.readline().decode().strip()


def _below(pid: int) -> dict[int, str]:
    """The descendants of a process and their states, as psutil sees them."""
    found: dict[int, str] = {}
    for each in psutil.Process(pid).children(recursive=True):
        try:
            found[each.pid] = each.status()
        except psutil.NoSuchProcess:
            continue
    return found


def _settled(pid: int) -> set[int]:
    """The descendants of a frozen process that are no zombies; each of them is frozen."""
    below = {pid: s for pid, s in _below(pid).items() if s != psutil.STATUS_ZOMBIE}
    assert {psutil.STATUS_STOPPED} == set(below.values())
    assert set(below) == {pid for pid, s in _below(pid).items() if s != psutil.STATUS_ZOMBIE}, (
        "somebody still starts processes"
    )
    return set(below)


def test_a_tree_that_keeps_forking(
    start: Started, signals: Signals, kernel: Kernel, tmp_path: Path
) -> None:
    """Three levels that start processes without end freeze as a whole, and go on as one."""
    script = tmp_path / "tree.sh"
    script.write_text(TREE)
    agent = start("sh", str(script), "2")
    wait_until(lambda: len(_below(agent.pid)) >= 6)
    frozen = signals.freeze(_id(agent.pid, kernel))
    assert _id(agent.pid, kernel) == frozen[0]
    assert psutil.STATUS_STOPPED == psutil.Process(agent.pid).status()
    below = _settled(agent.pid)
    assert len(below) >= 6
    assert below <= {int(process.partition("-")[0]) for process in frozen[1:]}
    thawed = signals.thaw(frozen)
    assert frozen[0] == thawed[-1]
    assert [*frozen[::-1]] == [process for process in frozen[::-1] if process in thawed]
    wait_until(lambda: psutil.STATUS_STOPPED not in _below(agent.pid).values())
    wait_until(lambda: set(_below(agent.pid)) - below, what="new processes")


def test_a_flood_of_children(start: Started, signals: Signals, kernel: Kernel) -> None:
    """Whatever is started while the others are being frozen is frozen as well."""
    agent = start.shell(BOMB)
    assert "on" == _line(agent)
    wait_until(lambda: len(_below(agent.pid)) > 5)
    frozen = signals.freeze(_id(agent.pid, kernel))
    below = _settled(agent.pid)
    assert len(frozen) > 5
    assert below <= {int(process.partition("-")[0]) for process in frozen[1:]}


def test_a_child_frozen_by_somebody_else(start: Started, signals: Signals, kernel: Kernel) -> None:
    """A child that was frozen before stays frozen when the agent goes on."""
    agent = start.shell("sleep 600 & echo $!; sleep 601 & echo $!; wait")
    theirs, ours = (_id(int(_line(agent)), kernel) for _ in range(2))
    send(theirs, signal.SIGSTOP, kernel)
    wait_until(lambda: recognise(theirs, kernel).stopped)
    process = _id(agent.pid, kernel)
    frozen = signals.freeze(process)
    assert (process, ours) == frozen
    assert (ours, process) == signals.thaw(frozen)
    wait_until(lambda: not recognise(ours, kernel).stopped)
    assert recognise(theirs, kernel).stopped


def test_a_zombie_is_refused(start: Started, signals: Signals, kernel: Kernel) -> None:
    """An agent that has ended can't be frozen, and a child that has ended is passed over."""
    code = "import subprocess, time; child = subprocess.Popen('true'); time.sleep(600)"
    agent = start(sys.executable, "-c", code)
    wait_until(lambda: psutil.STATUS_ZOMBIE in _below(agent.pid).values())
    process = _id(agent.pid, kernel)
    assert (process,) == signals.freeze(process)
    agent.kill()
    os.waitid(os.P_PID, agent.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(ProcessGone, match="has ended"):
        signals.freeze(process)
    with pytest.raises(ProcessGone, match="has ended"):
        asyncio.run(signals.stop(process))


def test_ancestors_are_refused(signals: Signals, kernel: Kernel) -> None:
    """The process that runs this test is not frozen by it, nor is its parent."""
    for pid in (os.getpid(), os.getppid()):
        if pid > 1:
            with pytest.raises(SignalRefused, match="Tollkeeper itself"):
                signals.freeze(_id(pid, kernel))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start another user's process")
def test_another_users_child_is_left_alone(
    start: Started, signals: Signals, kernel: Kernel
) -> None:
    """A child that runs as somebody else is not frozen with the agent, though root could."""
    code = (
        "import subprocess as s; child = s.Popen(['sleep', '600'], user=65534);"
        "print(child.pid, flush=True); child.wait()"
    )
    agent = start(sys.executable, "-c", code)
    theirs = _id(int(_line(agent)), kernel)
    process = _id(agent.pid, kernel)
    assert (process,) == signals.freeze(process)
    assert not recognise(theirs, kernel).stopped
    stopped = asyncio.run(signals.stop(process, (process,)))
    assert (process,) == stopped.hit
    assert not recognise(theirs, kernel).ended


def test_a_frozen_agent_ends_well(start: Started, signals: Signals, kernel: Kernel) -> None:
    """An agent that is stopped while it is frozen runs its handler, and its child ends with it."""
    agent = start.shell(POLITE)
    child = _id(int(_line(agent)), kernel)
    process = _id(agent.pid, kernel)
    frozen = signals.freeze(process)
    stopped = asyncio.run(signals.stop(process, frozen))
    assert "terminated" == stopped.how
    assert {process, child} <= {*stopped.hit}
    assert ("bye", 3) == (_line(agent), agent.wait(10))
    with pytest.raises(ProcessGone):
        recognise(child, kernel)


def test_who_ignores_the_signal_is_killed(start: Started, signals: Signals, kernel: Kernel) -> None:
    """After the grace period an agent that does not listen is killed, and a child like it too."""
    agent = start.shell(f"({DEAF}) & {DEAF}")
    assert ["on", "on"] == [_line(agent), _line(agent)]
    ticks: list[int] = []

    async def stop() -> str:
        async def tick() -> None:
            while True:
                ticks.append(1)
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        stopped = await signals.stop(_id(agent.pid, kernel), grace=0.3)
        ticking.cancel()
        assert len(stopped.hit) >= 2
        return stopped.how

    below = _below(agent.pid)
    assert "killed" == asyncio.run(stop())
    assert -signal.SIGKILL == agent.wait(10)
    assert not any(psutil.pid_exists(pid) and _lives(pid) for pid in below)
    assert len(ticks) > 10, "the loop was blocked"


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Terminal:
    """An interactive shell in a terminal of its own."""

    def __init__(self) -> None:
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            os.execlp("bash", "bash", "--norc", "--noprofile", "-i")
        self.shown = ""

    def types(self, line: str) -> None:
        os.write(self._screen, line.encode() + b"\n")

    def shows(self, text: str) -> None:
        """Wait until this is on the screen."""
        wait_until(lambda: text in self._read(), what=f"{text!r} in {self.shown!r}")

    def runs(self, name: str, pid: int | None = None) -> int:
        """The pid of the program of this name that was started by the shell, once there is one."""
        return wait_until(
            lambda: next((c.pid for c in _children(pid or self.pid) if _name(c) == name), None),
            what=name,
        )

    def close(self) -> None:
        for child in psutil.Process(self.pid).children(recursive=True):
            child.kill()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._screen)

    def _read(self) -> str:
        while select.select([self._screen], [], [], 0)[0]:
            self.shown += os.read(self._screen, 1 << 16).decode("utf-8", "replace")
        return self.shown


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children()


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_a_job_of_a_shell(terminal: Terminal, signals: Signals, kernel: Kernel) -> None:
    """A job that is frozen drops to the shell, and comes back with fg once it is thawed."""
    terminal.types("sleep 600")
    agent = _id(terminal.runs("sleep"), kernel)
    assert signals.in_shell(agent)
    assert not signals.in_shell(_id(terminal.pid, kernel))
    frozen = signals.freeze(agent)
    terminal.shows("Stopped")
    signals.thaw(frozen)
    wait_until(lambda: not recognise(agent, kernel).stopped)
    terminal.types("fg >&2; echo came $((40 + 2))")
    assert "terminated" == asyncio.run(signals.stop(agent)).how
    terminal.shows("came 42")


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_what_a_script_runs_is_no_job(terminal: Terminal, signals: Signals, kernel: Kernel) -> None:
    """A script in a shell is a job, what it runs is not: its shell does not wait for fg."""
    terminal.types("sh -c 'sleep 600; true'")
    script = terminal.runs("sh")
    assert signals.in_shell(_id(script, kernel))
    assert not signals.in_shell(_id(terminal.runs("sleep", script), kernel))
    assert not signals.in_shell("999999999-1")


@needs_proc
def test_without_a_terminal_there_is_no_shell() -> None:
    """A process group of its own makes no job of what has no terminal."""
    code = (
        "import os, subprocess as s; os.setsid(); child = s.Popen(['sleep', '600'], process_group=0)"
        "\nprint(child.pid, flush=True); input(); child.kill()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as leader:
        assert not Signals().in_shell(_id(int(_line(leader)), Proc()))
        leader.communicate(b"\n", 10)


def test_the_systems_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are told apart by /proc where there is one, else by psutil."""
    monkeypatch.setattr(kernels, "has_proc", lambda: True)
    assert Proc is type(real_kernel())
    monkeypatch.setattr(kernels, "has_proc", lambda: False)
    assert Psutil is type(real_kernel())
