"""A system that is made up: processes that start, fork, freeze and end, and pids that come again."""

import errno
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from tollkeeper.kernel import Kernel, Stat
from tollkeeper.signals import id_of

T = TypeVar("T")

ROOT, USER, OTHER = 0, 1000, 1001
FIRST_PID = 2


class FakeProcess:
    """One process, from its start on; ``line`` is everyone it descends from by birth."""

    def __init__(self, pid: int, start: int, user: int, parent: "FakeProcess | None") -> None:
        self.pid = pid
        self.user = user
        self.parent = parent
        self.children: list[FakeProcess] = []
        self.id = id_of(pid, start)
        self.line: frozenset[str] = parent.line | {parent.id} if parent else frozenset()
        self.ignores: set[int] = set()
        self.pending: set[int] = set()
        self.stat = Stat("S", parent.pid if parent else 0, pid, pid, 0, start)

    def __repr__(self) -> str:
        return f"<{self.id} {self.stat.state}>"

    @property
    def stopped(self) -> bool:
        return self.stat.state == "T"

    @property
    def alive(self) -> bool:
        return self.stat.state in "ST"

    @property
    def reaped(self) -> bool:
        return self.stat.state == "X"


class Sent(NamedTuple):
    """A signal, and the process that really got it."""

    process: FakeProcess
    number: int


class FakeKernel(Kernel):
    """Stands in for the system on which the daemon, ``own``, runs.

    ``pids`` is how many there are: they are given out in turn, so few of them come again soon.
    ``meanwhile`` is called whenever the system is asked something: other processes never rest.
    A signal takes effect when the system was asked ``lag`` times more. Without ``pidfds`` a signal
    goes to whatever has the pid.
    """

    def __init__(self, pids: int = 32_768, *, pidfds: bool = True) -> None:
        self.meanwhile: Callable[[], None] | None = None
        self.lag = 0
        self.pidfds = pidfds
        self.sent: list[Sent] = []
        self.processes: dict[int, FakeProcess] = {}
        self.slept = 0.0
        self._pids = pids
        self._last_pid = 1
        self._ticks = 0
        self._asked = 0
        self._due: list[tuple[int, FakeProcess, int]] = []
        self.init = self._appear(1, ROOT, None)
        self.own = self.start()

    # What happens on the machine

    def start(
        self,
        parent: FakeProcess | None = None,
        *,
        user: int | None = None,
        pid: int | None = None,
    ) -> FakeProcess:
        """A process starts, of its parent's user if no other is named; without a parent, at init."""
        if user is None:
            user = parent.user if parent else USER
        return self._appear(pid or self._next_pid(), user, parent or self.init)

    def exit(self, process: FakeProcess) -> None:
        """A process ends: a zombie until its parent reaps it, as init does at once."""
        process.stat = _with_state(process.stat, "Z")
        for child in process.children:
            self._adopt(child)
        process.children = []
        if process.parent is self.init:
            self.reap(process)

    def reap(self, process: FakeProcess) -> None:
        """The parent of an ended process takes note, and its pid is free."""
        process.stat = _with_state(process.stat, "X")
        if process.parent and process in process.parent.children:
            process.parent.children.remove(process)
        del self.processes[process.pid]

    def stop(self, process: FakeProcess) -> None:
        """Somebody else freezes a process."""
        process.stat = _with_state(process.stat, "T")

    def thaw(self, process: FakeProcess) -> None:
        """Somebody else lets a process go on."""
        self._receive(process, signal.SIGCONT)

    def alive(self) -> list[FakeProcess]:
        """All that run or are frozen, but init and the daemon."""
        return [
            process
            for process in self.processes.values()
            if process.alive and process is not self.init and process is not self.own
        ]

    def below(self, process: FakeProcess) -> list[FakeProcess]:
        """The living descendants of a process at this moment."""
        found = [child for child in process.children if child.alive]
        for each in found:
            found += [child for child in each.children if child.alive]
        return found

    # What the system is asked

    def own_pid(self) -> int:
        return self.own.pid

    def own_user(self) -> int:
        return self.own.user

    def stat(self, pid: int) -> Stat | None:
        self._step()
        process = self.processes.get(pid)
        return process.stat if process else None

    def owner(self, pid: int) -> int | None:
        self._step()
        process = self.processes.get(pid)
        return process.user if process else None

    def table(self) -> dict[int, Stat]:
        self._step()
        found: dict[int, Stat] = {}
        for pid in sorted(self.processes):
            if self.meanwhile:
                self._step()
            if pid in self.processes:
                found[pid] = self.processes[pid].stat
        return found

    def signal(self, pid: int, number: int, check: Callable[[], None]) -> None:
        self._step()
        held = self._with_pid(pid)
        check()
        if self.pidfds:
            self._step()
        else:
            held = self._with_pid(pid)
        if held.reaped:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        if self.own.user not in (ROOT, held.user):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        self.sent.append(Sent(held, number))
        self._due.append((self._asked + self.lag, held, number))
        self._take_effect()

    async def sleep(self, seconds: float) -> None:
        """Time passes, for as long as it is waited for something."""
        self.slept += seconds
        self._step()

    def _step(self) -> None:
        self._asked += 1
        if self._due:
            self._take_effect()
        if self.meanwhile:
            self.meanwhile()

    def _take_effect(self) -> None:
        while self._due and self._due[0][0] <= self._asked:
            _, process, number = self._due.pop(0)
            if process.alive:
                self._receive(process, number)

    def _receive(self, process: FakeProcess, number: int) -> None:
        if number == signal.SIGSTOP:
            self.stop(process)
        elif number == signal.SIGCONT:
            process.stat = _with_state(process.stat, "S")
            if process.pending:
                self.exit(process)
        elif number == signal.SIGKILL:
            self.exit(process)
        elif number not in process.ignores:
            if process.stopped:
                process.pending.add(number)
            else:
                self.exit(process)

    def _next_pid(self) -> int:
        for _ in range(self._pids):
            self._last_pid = FIRST_PID + (self._last_pid + 1 - FIRST_PID) % self._pids
            if self._last_pid not in self.processes:
                return self._last_pid
        raise BlockingIOError(errno.EAGAIN, "there are too many processes")

    def _with_pid(self, pid: int) -> FakeProcess:
        if pid not in self.processes:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        return self.processes[pid]

    def _appear(self, pid: int, user: int, parent: FakeProcess | None) -> FakeProcess:
        self._ticks += 1
        process = self.processes[pid] = FakeProcess(pid, self._ticks, user, parent)
        if parent:
            parent.children.append(process)
        return process

    def _adopt(self, orphan: FakeProcess) -> None:
        orphan.parent = self.init
        orphan.stat = _with_parent(orphan.stat, self.init.pid)
        self.init.children.append(orphan)
        if not orphan.alive:
            self.reap(orphan)


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to that waits for nothing but a made-up system."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError(f"{coroutine} waits for something else")


def _with_state(stat: Stat, state: str) -> Stat:
    return Stat(state, stat.parent, stat.group, stat.session, stat.terminal, stat.start)


def _with_parent(stat: Stat, parent: int) -> Stat:
    return Stat(stat.state, parent, stat.group, stat.session, stat.terminal, stat.start)
