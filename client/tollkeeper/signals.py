"""Signals to processes that are named by pid and start, and never to any other."""

import signal
from collections.abc import Sequence

from tollkeeper.errors import TollError
from tollkeeper.kernel import Kernel, Proc, Stat

KERNEL: Kernel = Proc()
# No system has larger pids: Linux ends at 2**22, macOS at 99,999.
MOST_DIGITS = 9


class SignalRefused(TollError):
    """The process must not be signalled, or can't be; the text is one line that says why."""

    code = "refused"


class ProcessGone(SignalRefused):
    """The process ended, and perhaps another one has its pid now."""

    code = "gone"


def id_of(pid: int, start: int) -> str:
    """The id of a process, which is never given to another: its pid, and its start."""
    return f"{pid}-{start}"


def pid_of(process: str) -> int:
    """The pid in a process's id; SignalRefused when it is no id, or names no single process."""
    pid, _, start = process.partition("-")
    if not (process.isascii() and pid.isdigit() and start.isdigit() and len(pid) <= MOST_DIGITS):
        raise SignalRefused(f"{process!r} is no id of a process")
    if int(pid) <= 1:
        raise SignalRefused(f"process {pid} is the system's own")
    return int(pid)


def send(process: str, number: int, kernel: Kernel = KERNEL) -> None:
    """Signal the process with this id, if it still runs and is this user's; SignalRefused if not.

    Neither this process nor one that it descends from is ever signalled. The process is held by a
    pidfd while it is looked at: should another one take over its pid meanwhile, nobody is hit.
    """
    pid = pid_of(process)

    def may() -> None:
        check(process, kernel)
        # Once more: where there are no pidfds, this must be the last look before the signal.
        recognise(process, kernel)

    try:
        kernel.signal(pid, number, may)
    except ProcessLookupError:
        raise ProcessGone(f"process {pid} is gone") from None
    except PermissionError:
        raise SignalRefused(f"this user may not signal process {pid}") from None
    except OSError as error:
        raise SignalRefused(f"can't signal process {pid}: {error.strerror}") from None


def check(process: str, kernel: Kernel = KERNEL) -> None:
    """SignalRefused when the process with this id must not be signalled, or is gone."""
    recognise(process, kernel)
    _refuse_strangers(pid_of(process), kernel)
    _refuse_ancestors(pid_of(process), kernel)


def recognise(process: str, kernel: Kernel = KERNEL) -> Stat:
    """The running process with this id, as it is now; ProcessGone when there is none.

    SignalRefused when the system does not tell.
    """
    pid = pid_of(process)
    try:
        stat = kernel.stat(pid)
    except OSError as error:
        raise SignalRefused(f"can't tell what process {pid} is: {error.strerror}") from None
    if stat is None:
        raise ProcessGone(f"process {pid} is gone")
    if id_of(pid, stat.start) != process:
        raise ProcessGone(f"process {pid} is gone, and another one has its pid now")
    if stat.ended:
        raise ProcessGone(f"process {pid} has ended")
    return stat


def thaw(processes: Sequence[str], kernel: Kernel = KERNEL) -> tuple[str, ...]:
    """Let frozen processes go on, the last first, and say which did.

    Descendants come after the process that was frozen first, so they run before it does. Those
    that are gone are passed over; SignalRefused when the first one is there and can't be thawed.
    """
    thawed: list[str] = []
    for process in reversed(processes):
        try:
            send(process, signal.SIGCONT, kernel)
        except ProcessGone:
            continue
        except SignalRefused:
            if process == processes[0]:
                raise
        else:
            thawed.append(process)
    return tuple(thawed)


def _refuse_strangers(pid: int, kernel: Kernel) -> None:
    owner = kernel.owner(pid)
    if owner is None:
        raise ProcessGone(f"process {pid} is gone")
    if owner != kernel.own_user():
        raise SignalRefused(f"process {pid} is another user's")


def _refuse_ancestors(pid: int, kernel: Kernel) -> None:
    own = ancestor = kernel.own_pid()
    if pid == own:
        raise SignalRefused(f"process {pid} is Tollkeeper itself")
    while ancestor > 1 and (ancestor := _parent(ancestor, kernel)):
        if pid == ancestor:
            raise SignalRefused(f"Tollkeeper itself runs under process {pid}")


def _parent(pid: int, kernel: Kernel) -> int:
    """The parent's pid; 0 where the line ends, or goes on behind what other users may see."""
    try:
        stat = kernel.stat(pid)
    except PermissionError:
        return 0
    return stat.parent if stat else 0
