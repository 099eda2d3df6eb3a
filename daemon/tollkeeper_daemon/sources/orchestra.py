"""The files of Opus Orchestra: who an agent is to it (agent.json), and the tasks that agents claim."""

import os

import msgspec
from msgspec import Struct

from tollkeeper_daemon.clock import ms_of
from tollkeeper_daemon.labels.claims import ClaimLine
from tollkeeper_daemon.names import id_of, name_of, path_of
from tollkeeper_daemon.sources.files import open_regular, read_small

FOLDER = ".opus-orchestra"
LARGEST_NOTE = 64 << 10
# Of the claims the latest are read; a line has a hundred bytes.
MOST_CLAIMS = 256 << 10
# Clocks of those who write them may differ from that of the file.
MOST_AHEAD_MS = 60_000
NS_PER_MS = 1_000_000


class Note(Struct, frozen=True):
    """What ``agent.json`` says of the agent in its worktree."""

    id: str = ""
    name: str = ""
    sessionId: str = ""
    taskFile: str | None = None
    repoPath: str | None = None

    @property
    def names(self) -> set[str]:
        """What claims may call it."""
        return {self.id, self.name} - {""}


class _Line(Struct, frozen=True):
    action: str
    agent: str
    timestamp: str | int | float
    task: str = ""


_decode_note = msgspec.json.Decoder(Note).decode
_decode_line = msgspec.json.Decoder(_Line).decode


def note_in(folder: str) -> str:
    """The path of the note on the agent that works in this folder."""
    return os.path.join(folder, FOLDER, "agent.json")


def claims_in(repository: str) -> str:
    """The path of the claims of a repository's agents."""
    return os.path.join(repository, FOLDER, "claims.jsonl")


def read_note(path: str) -> Note:
    """The note in this file; ValueError when it is none."""
    try:
        note = _decode_note(read_small(path, LARGEST_NOTE))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None
    return Note(
        id_of(note.id),
        name_of(note.name),
        id_of(note.sessionId),
        path_of(note.taskFile),
        path_of(note.repoPath),
    )


def read_claims(path: str) -> tuple[list[ClaimLine], int]:
    """The latest claims in this file, and how many lines are none; ValueError when it can't be read."""
    try:
        descriptor = open_regular(path)
        try:
            status = os.fstat(descriptor)
            start = max(status.st_size - MOST_CLAIMS, 0)
            block = os.pread(descriptor, MOST_CLAIMS, start)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ValueError(f"{path}: {error}") from None
    # Half a line may stand at either end.
    first = block.find(b"\n") + 1 if start else 0
    latest = status.st_mtime_ns // NS_PER_MS + MOST_AHEAD_MS
    return _claims_of(block[first : block.rfind(b"\n") + 1], latest)


def _claims_of(block: bytes, latest: int) -> tuple[list[ClaimLine], int]:
    """The claims in these lines; one that is later than its file's writing tells no time."""
    found: list[ClaimLine] = []
    bad = 0
    for line in filter(bytes.strip, block.split(b"\n")):
        try:
            each = _decode_line(line)
            time = _time_of(each.timestamp, latest)
        except (ValueError, OverflowError, OSError, RecursionError):
            bad += 1
        else:
            found.append(ClaimLine(each.action, id_of(each.task), id_of(each.agent), time))
    return found, bad


def _time_of(stamp: str | float, latest: int) -> int:
    """The time in ms; a number is in ms itself. ValueError for none."""
    time = ms_of(stamp) if isinstance(stamp, str) else max(int(stamp), 0)
    if time > latest:
        raise ValueError(f"{stamp} is to come")
    return time
