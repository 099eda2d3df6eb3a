"""The inbox: what status lines and hooks leave in ``run/inbox/``, a file each; read once, and removed."""

import errno
import os
from pathlib import Path

from msgspec import Struct

from tollkeeper.places import HOOK_PREFIX, STATUS_PREFIX
from tollkeeper_daemon.sources.files import read_small

LARGEST_LETTER = 256 << 10
# Whoever fills it faster than it is read takes turns with the rest of the daemon.
MOST_AT_ONCE = 500


class Letters(Struct, frozen=True):
    """What lay in the inbox: hooks in the order in which they reported. ``bad`` can't be read."""

    status_lines: list[bytes]
    hooks: list[bytes]
    bad: int = 0
    more: bool = False


def is_letter(name: str) -> bool:
    """Whether a file of this name in the inbox is for us; what begins with a dot is being written."""
    return name.startswith((STATUS_PREFIX, HOOK_PREFIX))


def take(folder: Path) -> Letters:
    """Read and remove what lies in the inbox, the oldest first, and no more than MOST_AT_ONCE."""
    names = sorted(filter(is_letter, _names(folder)))
    letters = Letters([], [], more=len(names) > MOST_AT_ONCE)
    bad = 0
    for name in names[:MOST_AT_ONCE]:
        try:
            content = _take_file(str(folder / name))
        except FileNotFoundError:
            continue
        except OSError:
            bad += 1
            continue
        (letters.hooks if name.startswith(HOOK_PREFIX) else letters.status_lines).append(content)
    return Letters(letters.status_lines, letters.hooks, bad, letters.more)


def _take_file(path: str) -> bytes:
    """The content of the letter, which is removed; OSError when it can't be read or removed."""
    try:
        if os.path.islink(path):
            raise OSError(errno.ELOOP, "a link, and no letter", path)
        return read_small(path, LARGEST_LETTER)
    finally:
        os.unlink(path)


def _names(folder: Path) -> list[str]:
    """What lies in the inbox, but folders, which nobody leaves there."""
    try:
        with os.scandir(folder) as entries:
            return [each.name for each in entries if not each.is_dir(follow_symlinks=False)]
    except OSError:
        return []
