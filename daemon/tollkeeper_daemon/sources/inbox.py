"""The inbox: the letters of hooks and status lines, a file each; read once, and removed."""

import errno
import os
from pathlib import Path

from msgspec import Struct

from tollkeeper_daemon.sources.files import read_small

LARGEST_LETTER = 256 << 10
# Whoever fills it faster than it is read takes turns with the rest of the daemon.
MOST_AT_ONCE = 500


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


def modified(folder: Path) -> int:
    """When anything last came into the folder, or left it (ns); 0 when it is not there."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


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
