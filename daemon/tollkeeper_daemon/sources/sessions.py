"""The client's own note of itself: ``<home>/sessions/<pid>.json``, rewritten on every change."""

import os
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from tollkeeper_daemon.names import id_of, name_of, path_of
from tollkeeper_daemon.sources.files import read_small

LARGEST_FILE = 1 << 20

Pid = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Milliseconds = Annotated[int, Meta(ge=0, le=10**15)]
Ticks = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Session(Struct, frozen=True):
    """What a running client says of itself; ``startedAt`` in ms, ``procStart`` in clock ticks."""

    pid: Pid
    sessionId: str | None = None
    cwd: str | None = None
    startedAt: Milliseconds | None = None
    procStart: str | Ticks | None = None
    name: str | None = None
    nameSource: str | None = None
    status: str | None = None
    waitingFor: str | None = None
    statusUpdatedAt: Milliseconds | None = None


_decode = msgspec.json.Decoder(Session).decode


def is_session_file(path: str) -> bool:
    """Whether this names a session file; the key files beside them are secrets, never opened."""
    stem, dot, ending = os.path.basename(path).partition(".")
    return stem.isascii() and stem.isdigit() and dot + ending == ".json"


def read_session(path: str) -> Session | None:
    """The session in this file, None when it is gone; ValueError when it is no session."""
    try:
        session = _decode(read_small(path, LARGEST_FILE))
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None
    if str(session.pid) != Path(path).stem:
        raise ValueError(f"{path} names pid {session.pid}")
    return _shortened(session)


def _shortened(session: Session) -> Session:
    """The session with names that are names."""
    return replace(
        session,
        sessionId=id_of(session.sessionId) or None,
        cwd=path_of(session.cwd) or None,
        name=name_of(session.name) or None,
        waitingFor=name_of(session.waitingFor) or None,
    )


def list_sessions(folder: Path) -> list[str]:
    """The session files in this folder, which need not exist."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [str(folder / name) for name in names if is_session_file(name)]
