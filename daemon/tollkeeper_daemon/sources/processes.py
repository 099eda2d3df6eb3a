"""The operating system's view of an agent: is it there, since when, where, with what labels."""

import os
import time
from itertools import pairwise

import psutil
from msgspec import Struct

from tollkeeper import signals
from tollkeeper.kernel import Stat, read_stat
from tollkeeper_daemon.names import id_of, name_of
from tollkeeper_daemon.sources.files import printable
from tollkeeper_daemon.sources.paying import KEYS, TOKEN, environment_says

LABELS = ("TOLL_AGENT", "TOLL_WORKFLOW", "TOLL_TASK", "TOLL_STAGE", "TOLL_BUDGET_USD")
CLIENT_NAMES = frozenset({"claude", "node", "bun"})
CLIENT_SCRIPT = "/claude-code/cli.js"
# What the client does for itself rather than for a person.
NOT_AGENTS = frozenset({"mcp", "update", "install", "doctor", "config", "--version", "-v"})
# How far the start time that two sources name may differ for one and the same process.
SAME_START_MS = 2_000
# How long a client may take, from the start of its process, until it notes that it has started.
NOTED_WITHIN_MS = 60_000
SETTLED_SECONDS = 5.0
EXECS_WITHIN_SECONDS = 60.0


class Process(Struct, frozen=True):
    """One process of this user: which it is (pid and start, in ms), and what it runs with.

    ``id`` is never given to another process: the pid with the start in the finest unit there is.
    ``keys`` are the names set in its environment by which it pays, ``has_token`` and ``server`` as in
    ``paying.Means``.
    """

    id: str
    pid: int
    started: int
    cwd: str
    labels: dict[str, str]
    keys: tuple[str, ...]
    home: str
    conversation: str
    has_token: bool = False
    server: str = ""


class Pulse(Struct, frozen=True):
    """A sign of life: the process's id, and whether a signal froze it."""

    id: str
    stopped: bool


def look_at(pid: int) -> Process | None:
    """The process with this pid if it is this user's; None when it is gone or not readable."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            if process.uids().real != os.getuid() or process.status() == psutil.STATUS_ZOMBIE:
                return None
            created = process.create_time()
            environment = process.environ()
            said = environment_says(environment)
            return Process(
                id=_id(pid, _stat(pid), created),
                pid=pid,
                started=int(created * 1000),
                cwd=printable(process.cwd()),
                labels={
                    name: name_of(printable(environment[name]))
                    for name in LABELS
                    if environment.get(name)
                },
                keys=tuple(name for name in KEYS if name in said.is_set),
                home=_home_of(environment, process.cwd()),
                conversation=id_of(printable(_named_conversation(process.cmdline()))),
                has_token=TOKEN in said.is_set,
                server=said.server or "",
            )
    except (psutil.Error, OSError):
        return None


def pulse(pid: int) -> Pulse | None:
    """A sign of life of whatever runs under this pid; None when nothing does."""
    stat = _stat(pid)
    if stat is not None:
        return None if stat.ended else Pulse(_id(pid, stat, 0), stat.state in "Tt")
    try:
        process = psutil.Process(pid)
        status, created = process.status(), process.create_time()
    except psutil.Error:
        return None
    if status == psutil.STATUS_ZOMBIE:
        return None
    return Pulse(_id(pid, None, created), status == psutil.STATUS_STOPPED)


def started_as(pid: int, started: int, ticks: "str | int | None", noted: int | None) -> bool:
    """Whether the process with this pid and start (ms) is the one that wrote a session file.

    ``ticks`` is the start that the file names, in clock ticks since boot, and decides. Without such
    a count the start must fit when the client noted its own (ms), and the process be a client by
    name; where the system counts no ticks, the name is asked for only if nothing was noted.
    """
    stat = _stat(pid)
    if stat and ticks is not None:
        return str(stat.start) == str(ticks)
    if noted is not None and not -SAME_START_MS <= noted - started <= NOTED_WITHIN_MS:
        return False
    return (stat is None and noted is not None) or _is_client(pid)


def _id(pid: int, stat: Stat | None, created: float) -> str:
    return signals.id_of(pid, stat.start if stat else int(created * 1000))


def _stat(pid: int) -> Stat | None:
    """What /proc says of the process, where there is one."""
    try:
        return read_stat(pid)
    except OSError:
        return None


def watch_exit(pid: int) -> int | None:
    """A descriptor that turns readable when the process exits; None where there is no such thing."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


class Passed:
    """The pids that were looked at and are no clients: not looked at again once they are settled.

    A young process may still become one, as a shell does that ends in ``exec claude``.
    """

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def left(self, pids: set[int], now: float) -> set[int]:
        """Those of the pids that are still to be looked at; ``now`` in seconds, of any clock."""
        self._since = {pid: since for pid, since in self._since.items() if pid in pids}
        settled = {pid for pid, since in self._since.items() if now - since > EXECS_WITHIN_SECONDS}
        return pids - settled

    def add(self, pid: int, now: float) -> None:
        """This one is no client, for now."""
        self._since.setdefault(pid, now)


def find_clients(passed: Passed) -> list[Process]:
    """Running clients that may have no session file, among the pids not passed for good.

    A client is told by its name, never by a directory. A process that has just started is left
    for the next time: most write their file by then.
    """
    found: list[Process] = []
    now = time.monotonic()
    for pid in passed.left(set(psutil.pids()), now):
        is_client = _is_client(pid)
        if is_client and _is_settled(pid) and (process := look_at(pid)):
            found.append(process)
        elif not is_client:
            passed.add(pid, now)
    return found


def _is_client(pid: int) -> bool:
    """Whether this is a client that works on its own, by its name."""
    try:
        process = psutil.Process(pid)
        if process.name() not in CLIENT_NAMES:
            return False
        command = process.cmdline()
        if process.name() != "claude" and not any(CLIENT_SCRIPT in part for part in command[:3]):
            return False
        if len(command) > 1 and command[1] in NOT_AGENTS:
            return False
        parent = process.parent()
        return parent is None or parent.name() != "claude"
    except psutil.Error:
        return False


def _is_settled(pid: int) -> bool:
    """Whether it has run long enough to have written its session file, if it writes one."""
    try:
        return time.time() - psutil.Process(pid).create_time() > SETTLED_SECONDS
    except psutil.Error:
        return False


def _home_of(environment: dict[str, str], cwd: str) -> str:
    """The client's home as it sees it: the first that is named, relative to where it runs."""
    named = environment.get("CLAUDE_CONFIG_DIR", "").partition(",")[0].strip()
    return os.path.join(cwd, named or os.path.join(environment.get("HOME", ""), ".claude"))


def _named_conversation(command: list[str]) -> str:
    """The conversation that the command line names, or an empty string."""
    for flag, value in pairwise(command):
        if flag in ("--session-id", "--resume", "-r") and not value.startswith("-"):
            return "" if "--fork-session" in command else value
    return ""
