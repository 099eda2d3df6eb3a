"""Processes where there is no /proc, as on macOS: psutil tells them apart."""

import os

import psutil

from tollkeeper.kernel import Kernel, Proc, Stat, has_proc

STATES = {psutil.STATUS_STOPPED: "T", psutil.STATUS_ZOMBIE: "Z", psutil.STATUS_RUNNING: "R"}


class Psutil(Proc):
    """A process's start is in ms since 1970, as psutil tells it.

    Every process is taken to have a terminal: psutil knows only those that it saw at its first look.
    """

    def stat(self, pid: int) -> Stat | None:
        try:
            return _stat(psutil.Process(pid))
        except (psutil.NoSuchProcess, ProcessLookupError):
            return None
        except psutil.AccessDenied as error:
            raise PermissionError(1, str(error)) from None

    def owner(self, pid: int) -> int | None:
        try:
            return psutil.Process(pid).uids().real
        except psutil.NoSuchProcess:
            return None
        except psutil.AccessDenied as error:
            raise PermissionError(1, str(error)) from None

    def table(self) -> dict[int, Stat]:
        found: dict[int, Stat] = {}
        for pid in psutil.pids():
            try:
                if stat := self.stat(pid):
                    found[pid] = stat
            except OSError:
                continue
        return found


def real_kernel() -> Kernel:
    """The system that this runs on."""
    return Proc() if has_proc() else Psutil()


def _stat(process: psutil.Process) -> Stat:
    with process.oneshot():
        return Stat(
            STATES.get(process.status(), "S"),
            process.ppid(),
            os.getpgid(process.pid),
            os.getsid(process.pid),
            1,
            int(process.create_time() * 1000),
        )
