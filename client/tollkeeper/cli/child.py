"""Runs a command in this process's place in its terminal and its shell, and waits for it.

The command stays in our process group, so that the terminal is its own, and ^C, ^Z and a shell's ``fg``
reach it as if it ran alone. What is sent to us alone is passed on to it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

PASSED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCONT,
    signal.SIGTSTP,
    signal.SIGWINCH,
)
HEARD = {*PASSED, signal.SIGCHLD}
# These say that nothing more is to be begun.
ENDING = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}
# Python ignores these, which a command is not to inherit.
RESTORED = [getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name)]


@contextlib.contextmanager
def hearing() -> Generator[set[int]]:
    """From now on signals wait until they are asked for; gives those that were held back before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    handlers = {number: signal.getsignal(number) for number in HEARD}
    for number, handler in handlers.items():
        if handler == signal.SIG_DFL:  # Else what is ignored by default would not wait.
            signal.signal(number, _wait)
    try:
        yield {int(number) for number in before}
    finally:
        for number, handler in handlers.items():
            if handler is not None:  # Else it was not Python's own.
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(number: int, frame: object) -> None:
    """Never called: the signals wait."""


def told_to_end() -> int:
    """The signal that has come and says that nothing is to be begun; 0 for none."""
    return min(signal.sigpending() & ENDING, default=0)


def run(
    command: Sequence[str], environment: Mapping[str, str], held_back: set[int]
) -> tuple[int, bool]:
    """Run the command to its end: its exit status, and whether a signal had told it to end.

    The status is 128 and the number of the signal where one ended it. FileNotFoundError, PermissionError or another OSError when it can't be started.
    """
    child = os.posix_spawnp(
        command[0], [*command], environment, setsigmask=held_back, setsigdef=RESTORED
    )
    was_told = False
    while True:
        number, is_for_us = _next_signal()
        if number == signal.SIGCHLD:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code, was_told
            continue
        was_told |= number in ENDING
        if is_for_us:
            os.kill(child, number)
        if number == signal.SIGTSTP:
            _stop()


def _next_signal() -> tuple[int, bool]:
    """The next signal, and whether it was sent to us; else the terminal sent it to the command as well."""
    if sys.platform == "linux":
        info = signal.sigwaitinfo(HEARD)
        return info.si_signo, info.si_code <= 0
    return signal.sigwait(HEARD), not _in_foreground()


def _in_foreground() -> bool:
    with contextlib.suppress(OSError):
        return os.tcgetpgrp(2) == os.getpgrp()
    return False


def _stop() -> None:
    """Stop as whoever gets this signal does, until we are told to go on."""
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTSTP})
    signal.raise_signal(signal.SIGTSTP)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})
    signal.signal(signal.SIGTSTP, before)
