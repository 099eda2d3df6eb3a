"""Looks whether processes are frozen."""

from pathlib import Path

from waiting import wait_until


def state_of(pid: int) -> str:
    """The process's state as proc(5) names it, such as S or T; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return ""


def is_frozen(pid: int) -> bool:
    """Whether a signal froze the process."""
    return state_of(pid) == "T"


def await_frozen(*pids: int, timeout: float = 20.0) -> None:
    """Return when all of these are frozen."""
    wait_until(lambda: all(map(is_frozen, pids)), timeout, f"{pids} to be frozen")


def await_running(*pids: int, timeout: float = 20.0) -> None:
    """Return when all of these run, or sleep."""
    running = ("R", "S", "D")
    wait_until(lambda: all(state_of(pid) in running for pid in pids), timeout, f"{pids} to run")
