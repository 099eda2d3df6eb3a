"""Which agents are held: a file that frees them when no daemon runs."""

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from tollkeeper import signals
from tollkeeper.errors import TollError
from tollkeeper.kernel import Kernel
from tollkeeper.places import is_file_name

VERSION = 1
# More agents than a machine holds.
LARGEST = 4 << 20

# Claude Code that was frozen does not set its terminal up again, and bash does not either: after a
# mere fg, Enter would not send a prompt any more.
TO_FOREGROUND = "stty raw opost -echo; fg"
FOREGROUND = f"it is a stopped job of its shell now: type  {TO_FOREGROUND}  in its terminal"


class FrozenAgent(Struct, frozen=True):
    """An agent that is held: the ids of what was frozen, it first, and when (ISO), why and where.

    ``denied`` is the conversation whose tool calls are refused, ``conversation`` the one it is in. Of
    a blocked agent no process is frozen.
    """

    id: str
    name: str
    pid: int
    processes: tuple[str, ...]
    at: str
    reason: str
    in_shell: bool
    conversation: str = ""
    denied: str = ""


class FrozenAgents(Struct, frozen=True):
    """The file: its version, all agents that are held, and the ids of those freed while no daemon ran."""

    version: int
    agents: tuple[FrozenAgent, ...]
    freed: tuple[str, ...] = ()


class Header(Struct, frozen=True):
    """What files of all versions have."""

    version: int


class FrozenFileError(TollError):
    """The file can't be read or written."""

    code = "paused-file"


def read(path: Path) -> tuple[FrozenAgent, ...]:
    """The agents that are held; none when there is no file. FrozenFileError when it can't be read."""
    return _load(path).agents


def read_freed(path: Path) -> tuple[str, ...]:
    """The ids of those who were freed while no daemon ran; none where there is no telling."""
    try:
        return _load(path).freed
    except FrozenFileError:
        return ()


def _load(path: Path) -> FrozenAgents:
    try:
        content = _read(path)
        version = msgspec.json.decode(content, type=Header).version
        if version > VERSION:
            raise FrozenFileError(
                f"{path} was written by a later version of Tollkeeper",
                "resume the agents with that version",
            )
        return msgspec.json.decode(content, type=FrozenAgents)
    except FileNotFoundError:
        return FrozenAgents(VERSION, ())
    except OSError as error:
        raise FrozenFileError(f"can't read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FrozenFileError(
            f"{path} does not say which agents are held: {error}",
            "the processes in state T are told by: ps -o pid,stat,args",
        ) from None


def _read(path: Path) -> bytes:
    """What is in the file; a pipe in its place is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return file.read(LARGEST) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""


def write(path: Path, agents: Iterable[FrozenAgent], freed: Iterable[str] = ()) -> None:
    """Put these agents in the file's place, whole or not at all. FrozenFileError when that fails."""
    content = msgspec.json.encode(FrozenAgents(VERSION, tuple(agents), tuple(freed)))
    try:
        descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            os.replace(aside, path)
        except BaseException:
            os.unlink(aside)
            raise
    except OSError as error:
        raise FrozenFileError(f"can't write {path}: {error.strerror}") from None


def thaw(agent: FrozenAgent, kernel: Kernel = signals.KERNEL) -> tuple[str, ...]:
    """Let the agent and its descendants go on, and say which did: none when all are gone.

    SignalRefused when the agent is there and can't be signalled.
    """
    return signals.thaw(agent.processes, kernel)


def allow(agent: FrozenAgent, deny: Path) -> None:
    """Let the agent use tools again: ``deny`` is the folder of refusals.

    FrozenFileError when its refusal can't be removed.
    """
    if not is_file_name(agent.denied):
        return
    try:
        (deny / agent.denied).unlink(missing_ok=True)
    except OSError as error:
        raise FrozenFileError(
            f"its tool calls can't be allowed again: {error.strerror}",
            f"remove {deny / agent.denied}",
        ) from None
