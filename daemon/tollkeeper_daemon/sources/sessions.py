"""The client's own note of itself: ``<home>/sessions/<pid>.json``, rewritten on every change."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from tollkeeper_daemon.sources.files import read_small

LARGEST_FILE = 1 << 20


class Session(Struct, frozen=True):
    """What a running client says of itself; ``startedAt`` in ms, ``procStart`` in clock ticks."""

    pid: int
    sessionId: str | None = None
    cwd: str | None = None
    startedAt: int | None = None
    procStart: str | int | None = None
    name: str | None = None
    nameSource: str | None = None
    status: str | None = None
    waitingFor: str | None = None
    statusUpdatedAt: int | None = None


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
    return session


def list_sessions(folder: Path) -> list[str]:
    """The session files in this folder, which need not exist."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [str(folder / name) for name in names if is_session_file(name)]
