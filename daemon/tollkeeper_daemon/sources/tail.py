"""Reads what was appended to a log: whole lines only, from where the last reading ended."""

import os
import zlib
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.records import FileId, FileMark
from tollkeeper_daemon.sources.files import open_regular, printable

BLOCK = 2 << 20
# A line longer than this is dropped and counted; the client's largest hold a few pictures.
LONGEST_LINE = 64 << 20
# Enough to hold what tells a line from the next: its uuid and time stand some way before its end.
CHECKED_BYTES = 1024


class Reading(Struct, frozen=True):
    """Some lines of a log, where the next reading begins, and what had to be dropped.

    ``block`` may end with half a line, which does not count yet: it is not worth a copy to cut it
    off. ``bytes`` is how far the reading went.

    ``restarted`` says that the file was not the one, or not as long, as when it was last read.
    """

    file: FileId
    block: bytes
    mark: FileMark
    bytes: int
    too_long: int = 0
    restarted: bool = False
    more: bool = False


def read_on(path: str, mark: FileMark | None, longest: int | None = None) -> Reading | None:
    """The next lines of the log, at most about a block of them; None when it is gone.

    ``mark`` is where the file with this inode was left. A line of more bytes than the ``longest``, which
    are LONGEST_LINE unless said otherwise, is dropped and counted. OSError for anything but absence.
    """
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(descriptor)
        here = mark if mark and _continues(descriptor, mark, status.st_size) else None
        file = (status.st_dev, status.st_ino)
        start = here or FileMark(printable(path))
        restarted = bool(mark and not here)
        most = LONGEST_LINE if longest is None else longest
        return _read_lines(descriptor, file, start, path, restarted, most)
    finally:
        os.close(descriptor)


def _continues(descriptor: int, mark: FileMark, size: int) -> bool:
    """Whether the file still holds what stood before the mark."""
    return size >= mark.offset and _check(descriptor, mark.offset) == mark.check


def _check(descriptor: int, offset: int) -> int:
    length = min(offset, CHECKED_BYTES)
    return zlib.crc32(os.pread(descriptor, length, offset - length))


def _read_lines(
    descriptor: int, file: FileId, start: FileMark, path: str, restarted: bool, longest: int
) -> Reading:
    block = os.pread(descriptor, BLOCK, start.offset)
    end = block.rfind(b"\n") + 1
    while not end and len(block) >= BLOCK and len(block) < longest:
        more = os.pread(descriptor, len(block), start.offset + len(block))
        block += more
        end = block.rfind(b"\n") + 1
        if not more:
            break
    too_long, skipping, was_full = 0, start.skipping, len(block) >= BLOCK
    if not end and len(block) >= longest:
        end, too_long, skipping = len(block), int(not skipping), True
        block = b""
    elif skipping and end:
        block = block[block.index(b"\n") + 1 :]
        skipping = False
    offset = start.offset + end
    mark = replace(
        start,
        path=printable(path),
        offset=offset,
        check=_check(descriptor, offset),
        skipping=skipping,
    )
    more_left = end > 0 and was_full and os.fstat(descriptor).st_size > offset
    return Reading(file, block, mark, end, too_long, restarted, more_left)


def find_logs(projects: Path) -> list[os.DirEntry[str]]:
    """Every session log in the tree, subagents' included; folders that can't be read are passed."""
    found: list[os.DirEntry[str]] = []
    folders = [str(projects)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif entry.name.endswith(".jsonl") and _is_file(entry):
                        found.append(entry)
        except OSError:
            continue
    return found


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a loop of links
        return False
