"""The inbox: the letters of hooks, read once and removed, and the latest of each status line."""

import errno
import os
from pathlib import Path

from msgspec import Struct

from tollkeeper_daemon.sources.files import read_small

LARGEST_LETTER = 256 << 10
# Whoever fills it faster than it is read takes turns with the rest of the daemon.
MOST_AT_ONCE = 500
# A slip that was written just now may be half written.
AT_REST_NS = 20_000_000
NS_PER_MS = 1_000_000
# Its conversation is over, or nobody looks at it any more.
FORGOTTEN_AFTER_NS = 600 * 10**9


class Letters(Struct, frozen=True):
    """What lay in a folder, by name. ``bad`` could not be read; ``more`` is left for the next time."""

    contents: list[bytes]
    bad: int = 0
    more: bool = False


def take(folder: Path) -> Letters:
    """Read and remove what lies in the folder; what begins with a dot is still being written."""
    names = sorted(name for name in _names(folder) if not name.startswith("."))
    contents: list[bytes] = []
    bad = 0
    for name in names[:MOST_AT_ONCE]:
        try:
            contents.append(_take_file(str(folder / name)))
        except FileNotFoundError:
            continue
        except OSError:
            bad += 1
    return Letters(contents, bad, more=len(names) > MOST_AT_ONCE)


def _take_file(path: str) -> bytes:
    """The content of the letter, which is removed; OSError when it can't be read or removed."""
    try:
        if os.path.islink(path):
            raise OSError(errno.ELOOP, "a link, and no letter", path)
        return read_small(path, LARGEST_LETTER)
    finally:
        os.unlink(path)


def _names(folder: Path) -> list[str]:
    """What lies in the folder, but folders."""
    try:
        with os.scandir(folder) as entries:
            return [each.name for each in entries if not each.is_dir(follow_symlinks=False)]
    except OSError:
        return []


class Slip(Struct, frozen=True):
    """What a status line was told, and when (ms)."""

    content: bytes
    written: int


class Slips:
    """The slips of status lines: a file for each, written anew in its place at every refresh.

    So the command that writes one need start no other program than the one that writes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[int, int]] = {}

    def new(self, now: int) -> tuple[list[Slip], int]:
        """What was written since the last time, and is at rest at this time (ns since 1970).

        And how many could not be read. After a restart of the daemon all of them are new to it.
        """
        found: list[Slip] = []
        bad = 0
        seen: dict[str, tuple[int, int]] = {}
        for entry in _slips(self._folder):
            try:
                status = entry.stat(follow_symlinks=False)
                stamp, age = (status.st_mtime_ns, status.st_size), abs(now - status.st_mtime_ns)
                if age > FORGOTTEN_AFTER_NS:
                    os.unlink(entry.path)
                elif stamp == self._seen.get(entry.name):
                    seen[entry.name] = stamp
                elif status.st_size and age > AT_REST_NS:
                    seen[entry.name] = stamp
                    written = status.st_mtime_ns // NS_PER_MS
                    found.append(Slip(_read_slip(entry.path), written))
            except FileNotFoundError:
                continue
            except OSError:
                bad += 1
        self._seen = seen
        return found, bad


def _slips(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return [each for each in entries if not each.name.startswith(".")]
    except OSError:
        return []


def _read_slip(path: str) -> bytes:
    """The content of the slip; OSError for a link, which leads elsewhere, and for a folder."""
    if os.path.islink(path):
        raise OSError(errno.ELOOP, "a link, and no slip", path)
    return read_small(path, LARGEST_LETTER)
