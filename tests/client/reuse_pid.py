"""Run in a pid namespace of its own: signals for a process whose pid has come to another one.

Says what became of them, a line each: first when the pid was another's before the signal, then when
it changed hands while the process was looked at, then right behind the last look.
"""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tollkeeper.kernel import Proc, read_stat
from tollkeeper.signals import SignalRefused, id_of, send

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


class Pid:
    """A pid that a process has, and then another one."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["sleep", "600"])
        self.pid = self.process.pid
        self.id = id_of(self.pid, read_stat(self.pid).start)

    def passes_on(self) -> None:
        """Ends the process, and gives its pid to a new one."""
        self.process.kill()
        self.process.wait()
        time.sleep(0.02)  # A tick has to pass: the clock of starts is no finer.
        LAST_PID.write_text(str(self.pid - 1))
        self.process = subprocess.Popen(["sleep", "600"])
        assert self.pid == self.process.pid, (self.pid, self.process.pid)


class Meddler(Proc):
    """A system in which something happens at the worst moment."""

    def __init__(self, at_look: Callable[[], None], behind: Callable[[], None]) -> None:
        self._at_look = at_look
        self._behind = behind

    def signal(self, pid: int, number: int, check: Callable[[], None]) -> None:
        def checked() -> None:
            self._at_look()
            check()
            self._behind()

        super().signal(pid, number, checked)


def tell(pid: Pid, kernel: Proc) -> None:
    """Send the signal for the first process, and say what came of it."""
    try:
        send(pid.id, signal.SIGKILL, kernel)
        told = "sent"
    except SignalRefused as error:
        told = error.message.replace(str(pid.pid), "N")
    try:
        ended = pid.process.wait(0.2)
    except subprocess.TimeoutExpired:
        ended = "lives"
    print(f"{told}: {ended}")
    pid.process.kill()


def main() -> None:
    """Say what becomes of the three signals."""
    early = Pid()
    early.passes_on()
    tell(early, Proc())
    meanwhile = Pid()
    tell(meanwhile, Meddler(meanwhile.passes_on, lambda: None))
    late = Pid()
    tell(late, Meddler(lambda: None, late.passes_on))


if __name__ == "__main__":
    main()
