"""What the operating system says of processes, and the one place that signals them."""

import errno
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable

# How pidfd_open answers for a pid that nothing has, or that is a mere thread's.
NO_PROCESS = (errno.ESRCH, errno.EINVAL, errno.ENOENT)


class Stat:
    """A process at one moment: proc(5), /proc/pid/stat, fields 3 to 7 and 22.

    ``start`` is in clock ticks since boot, or in ms since 1970 where the system has no such count.
    """

    __slots__ = ("group", "parent", "session", "start", "state", "terminal")

    def __init__(
        self, state: str, parent: int, group: int, session: int, terminal: int, start: int
    ) -> None:
        self.state = state
        self.parent = parent
        self.group = group
        self.session = session
        self.terminal = terminal
        self.start = start

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs any more, though its parent has not asked how it ended."""
        return self.state in "ZX"

    @property
    def stopped(self) -> bool:
        """Whether a signal froze it."""
        return self.state == "T"


class Kernel(ABC):
    """What is asked of the system, so that tests can stand in for it.

    None means that there is no such process; an OSError, that this can't be told.
    """

    @abstractmethod
    def own_pid(self) -> int: ...

    @abstractmethod
    def own_user(self) -> int: ...

    @abstractmethod
    def stat(self, pid: int) -> Stat | None: ...

    @abstractmethod
    def owner(self, pid: int) -> int | None:
        """The real uid of a process."""

    @abstractmethod
    def table(self) -> dict[int, Stat]:
        """Every process by its pid, not all seen at the same moment."""

    @abstractmethod
    def signal(self, pid: int, number: int, check: Callable[[], None]) -> None:
        """Hold on to whatever has this pid, and signal it unless ``check`` raises.

        Where processes can be held, the pid may pass on to another one at any time after: the
        signal is then lost. OSError when it can't be sent.
        """


class Proc(Kernel):
    """A system with /proc, as Linux; pidfds are used where there are any."""

    def own_pid(self) -> int:
        return os.getpid()

    def own_user(self) -> int:
        return os.getuid()

    def stat(self, pid: int) -> Stat | None:
        try:
            return read_stat(pid)
        except (FileNotFoundError, ProcessLookupError):
            if has_proc():
                return None
            raise OSError(errno.ENOSYS, "without /proc only the daemon knows it again") from None

    def owner(self, pid: int) -> int | None:
        try:
            lines = _read(f"/proc/{pid}/status").split(b"\n")
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = dict(line.split(b":\t", 1) for line in lines if b":\t" in line)
        return int(fields[b"Uid"].split()[0]) if int(fields[b"Tgid"]) == pid else None

    def table(self) -> dict[int, Stat]:
        found: dict[int, Stat] = {}
        for name in os.listdir("/proc"):
            if name.isdecimal():
                try:
                    found[int(name)] = read_stat(int(name))
                except (FileNotFoundError, ProcessLookupError, PermissionError):
                    continue
        return found

    def signal(self, pid: int, number: int, check: Callable[[], None]) -> None:
        held = _hold(pid)
        if held is None:
            check()
            os.kill(pid, number)
            return
        try:
            check()
            signal.pidfd_send_signal(held, number)
        finally:
            os.close(held)


def has_proc() -> bool:
    """Whether this system tells of processes in /proc."""
    return os.path.exists("/proc/self/stat")


def read_stat(pid: int) -> Stat:
    """What /proc says of the process; OSError when it is gone, or there is no /proc."""
    fields = _read(f"/proc/{pid}/stat").rpartition(b") ")[2].split(None, 20)
    parent, group, session, terminal = map(int, fields[1:5])
    return Stat(fields[0].decode(), parent, group, session, terminal, int(fields[19]))


def _read(path: str) -> bytes:
    # Without the layers of open(): thousands of these are read at a time.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 1 << 14)
    finally:
        os.close(descriptor)


def _hold(pid: int) -> int | None:
    """A pidfd; None where there is no such thing. ProcessLookupError when there is no process."""
    if not hasattr(os, "pidfd_open") or not hasattr(signal, "pidfd_send_signal"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        if error.errno in NO_PROCESS:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH)) from None
        return None
